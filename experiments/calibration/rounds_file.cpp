#include "experiments/calibration/rounds_file.h"

#include "experiments/calibration/rounds_hdf5.h"
#include "experiments/schema/input_files.h"
#include "experiments/schema/utf8.h"

namespace dspark {

Result<Rounds> read_rounds_file(const std::string& path, RoundsForm form) {
  auto bytes = read_whole_file(path, kMaxRoundsBytes);
  if (!bytes) return bytes.error();
  if (path.ends_with(".h5")) return decode_rounds_hdf5(*bytes, path);
  if (const auto bad = find_bad_utf8(*bytes)) {
    return Error{"the text is not UTF-8",
                 {std::make_shared<const std::string>(path), bad->line, bad->column},
                 bad->what};
  }
  return read_rounds_csv({path, *std::move(bytes), {}}, form);
}

}  // namespace dspark
