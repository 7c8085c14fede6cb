#include <filesystem>
#include <vector>

#include "experiments/cli/commands.h"
#include "experiments/cli/exit_code.h"
#include "experiments/cli/figure_program.h"
#include "experiments/cli/report.h"
#include "experiments/results/hdf5_file.h"

namespace dspark {

int figures_command(const FiguresOptions& options) {
  const std::string& file = options.file;
  if (const auto content = read_result_file(file); !content) {
    print_error(content.error());
    return kInvalidInput;
  }
  const auto program = find_figure_program("plot.py");
  if (!program) {
    print_error(program.error());
    return kMachineCannot;
  }
  const std::string parent = std::filesystem::path(file).parent_path().string();
  const std::string folder = !options.out.empty() ? options.out : parent.empty() ? "." : parent;
  std::vector<std::string> arguments = {file, "--out", folder};
  for (const std::string& figure : options.figures) arguments.insert(arguments.end(), {"--figure", figure});
  for (const std::string& where : options.where) arguments.insert(arguments.end(), {"--where", where});
  if (!options.lines.empty()) arguments.insert(arguments.end(), {"--lines", options.lines});
  if (!options.relative_to.empty()) arguments.insert(arguments.end(), {"--relative-to", options.relative_to});
  print_error(replace_by_figure_program(*program, arguments));
  return kMachineCannot;
}

}  // namespace dspark
