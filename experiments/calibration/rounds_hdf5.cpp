#include "experiments/calibration/rounds_hdf5.h"

#include <H5Cpp.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include "experiments/results/stored_size.h"
#include "experiments/results/user_block.h"
#include "experiments/schema/utf8.h"

namespace dspark {
namespace {

constexpr std::size_t kMaxRounds = 20'000'000;
constexpr std::size_t kMaxDomainBytes = 64;

/// What is wrong with a dataset.
struct Unexpected {
  std::string what;
};

/// Reads the datasets of /rounds; throws Unexpected or an exception of the library.
class GroupReader {
 public:
  GroupReader(const H5::Group& group, std::size_t file_bytes) : group_(group), stored_(file_bytes) {}

  Rounds read() {
    read_integers("request", rounds_.request);
    row_count_ = rounds_.request.size();
    if (row_count_ == 0) throw Unexpected{"it has no rounds"};
    read_integers("round", rounds_.round);
    read_integers("drafted", rounds_.drafted);
    read_integers("verified", rounds_.verified);
    read_integers("accepted", rounds_.accepted);
    rounds_.anchor_position.assign(row_count_, -1);
    if (has("anchor_position")) read_integers("anchor_position", rounds_.anchor_position);
    rounds_.domain.assign(row_count_, -1);
    if (has("domain")) read_domains();
    for (const RoundSignal& signal : round_signals()) {
      if (has(signal.name)) read_matrix(signal);
    }
    if (rounds_.block_size == 0) {
      const auto largest = *std::max_element(rounds_.drafted.begin(), rounds_.drafted.end());
      rounds_.block_size = std::clamp(largest, 1, kMaxRecordedBlockSize);
    }
    return std::move(rounds_);
  }

 private:
  bool has(const std::string& name) const { return group_.nameExists(name); }

  /// The dataset, with an extent (rows) or (rows, columns) that is really stored.
  H5::DataSet open(const std::string& name, std::vector<hsize_t>& extent, int rank) {
    if (!has(name)) throw Unexpected{fmt::format("no dataset '{}'", name)};
    if (group_.childObjType(name) != H5O_TYPE_DATASET)
      throw Unexpected{fmt::format("'{}' is no dataset", name)};
    H5::DataSet dataset = group_.openDataSet(name);
    const H5::DataSpace space = dataset.getSpace();
    if (space.getSimpleExtentNdims() != rank) {
      throw Unexpected{
          fmt::format("'{}' has {} dimensions, not {}", name, space.getSimpleExtentNdims(), rank)};
    }
    extent.resize(static_cast<std::size_t>(rank));
    space.getSimpleExtentDims(extent.data());
    if (extent[0] > kMaxRounds) throw Unexpected{fmt::format("'{}' has more than {} rows", name, kMaxRounds)};
    if (row_count_ > 0 && extent[0] != row_count_) {
      throw Unexpected{fmt::format("'{}' has {} rows where 'request' has {}", name, extent[0], row_count_)};
    }
    // Also keeps the product below in range.
    if (rank == 2 && (extent[1] < 1 || extent[1] > static_cast<hsize_t>(kMaxRecordedBlockSize))) {
      throw Unexpected{
          fmt::format("'{}' has {} positions, not 1 .. {}", name, extent[1], kMaxRecordedBlockSize)};
    }
    if (!stored_.holds(dataset, rank == 2 ? extent[0] * extent[1] : extent[0])) {
      throw Unexpected{fmt::format("'{}' is not stored whole", name)};
    }
    return dataset;
  }

  template <class T>
  void read_integers(const std::string& name, std::vector<T>& out) {
    std::vector<hsize_t> extent;
    const H5::DataSet dataset = open(name, extent, 1);
    if (dataset.getTypeClass() != H5T_INTEGER) throw Unexpected{fmt::format("'{}' is not of integers", name)};
    std::vector<std::int64_t> values(extent[0]);
    if (!values.empty()) dataset.read(values.data(), H5::PredType::NATIVE_INT64);
    const bool may_be_missing = name == "anchor_position";
    constexpr std::int64_t kMax = std::int64_t{1} << 53;
    out.clear();
    for (std::size_t row = 0; row < values.size(); ++row) {
      const std::int64_t most = sizeof(T) == 8 ? kMax : std::numeric_limits<std::int32_t>::max();
      if (values[row] < (may_be_missing ? -1 : 0) || values[row] > most) {
        throw Unexpected{fmt::format("row {}: {} = {} is out of range", row, name, values[row])};
      }
      out.push_back(static_cast<T>(values[row]));
    }
  }

  void read_domains() {
    std::vector<hsize_t> extent;
    const H5::DataSet dataset = open("domain", extent, 1);
    if (dataset.getTypeClass() != H5T_STRING) throw Unexpected{"'domain' is not of text"};
    const H5::StrType type = dataset.getStrType();
    if (type.isVariableStr()) throw Unexpected{"'domain' is text of variable length"};
    const std::size_t width = type.getSize();
    if (width > kMaxDomainBytes)
      throw Unexpected{fmt::format("a domain of more than {} bytes", kMaxDomainBytes)};
    std::string packed(width * row_count_, '\0');
    dataset.read(packed.data(), type);
    std::map<std::string, std::int32_t, std::less<>> known;
    for (std::size_t row = 0; row < row_count_; ++row) {
      const std::string_view cell(packed.data() + row * width, width);
      const std::string_view name = cell.substr(0, cell.find('\0'));
      if (name.empty()) continue;
      if (find_bad_utf8(name)) throw Unexpected{fmt::format("row {}: the domain is not UTF-8 text", row)};
      if (name.find_first_of(",\"\t\r\n") != std::string_view::npos) {
        throw Unexpected{fmt::format("row {}: the domain has a comma, a quote or a line end", row)};
      }
      const auto [at, is_new] = known.emplace(name, static_cast<std::int32_t>(known.size()));
      if (is_new) rounds_.domain_names.emplace_back(name);
      rounds_.domain[row] = at->second;
    }
  }

  void read_matrix(const RoundSignal& signal) {
    std::vector<hsize_t> extent;
    const H5::DataSet dataset = open(signal.name, extent, 2);
    if (dataset.getTypeClass() != H5T_FLOAT)
      throw Unexpected{fmt::format("'{}' is not of numbers", signal.name)};
    const auto positions = static_cast<int>(extent[1]);
    if (rounds_.block_size != 0 && rounds_.block_size != positions) {
      throw Unexpected{fmt::format("'{}' has {} positions, the others have {}", signal.name, positions,
                                   rounds_.block_size)};
    }
    rounds_.block_size = positions;
    std::vector<float>& column = rounds_.*signal.column;
    column.resize(row_count_ * static_cast<std::size_t>(positions));
    dataset.read(column.data(), H5::PredType::NATIVE_FLOAT);
  }

  const H5::Group& group_;
  StoredSize stored_;
  std::size_t row_count_ = 0;
  Rounds rounds_;
};

Rounds decode(std::string_view image) {
  H5::FileAccPropList access;
  access.setCore(1 << 20, false);
  // HDF5 copies the image; const is its interface's omission.
  if (H5Pset_file_image(access.getId(), const_cast<char*>(image.data()), image.size()) < 0) {
    throw Unexpected{"no memory for it"};
  }
  const H5::H5File file("in memory", H5F_ACC_RDONLY, H5::FileCreatPropList::DEFAULT, access);
  const std::string name = file.nameExists(kDenseRounds) ? kDenseRounds : "rounds";
  if (!file.nameExists(name) || file.childObjType(name) != H5O_TYPE_GROUP) {
    throw Unexpected{"no rounds were recorded in it"};
  }
  const H5::Group group = file.openGroup(name);
  return GroupReader(group, image.size()).read();
}

void write_dataset(const H5::Group& group, const std::string& name, const H5::DataType& stored,
                   const H5::DataType& given, const std::vector<hsize_t>& extent, const void* values) {
  const H5::DSetCreatPropList properties;
  H5Pset_obj_track_times(properties.getId(), false);
  const H5::DataSpace space(static_cast<int>(extent.size()), extent.data());
  group.createDataSet(name, stored, space, properties).write(values, given);
}

void write_rounds(const H5::Group& group, const Rounds& rounds) {
  const hsize_t rows = rounds.size();
  const auto integers = [&](const char* name, const auto& column) {
    const std::vector<std::int64_t> values(column.begin(), column.end());
    write_dataset(group, name, H5::PredType::STD_I64LE, H5::PredType::NATIVE_INT64, {rows}, values.data());
  };
  integers("request", rounds.request);
  integers("round", rounds.round);
  integers("anchor_position", rounds.anchor_position);
  integers("drafted", rounds.drafted);
  integers("verified", rounds.verified);
  integers("accepted", rounds.accepted);
  std::string packed(kMaxDomainBytes * rows, '\0');
  for (std::size_t row = 0; row < rows; ++row) {
    if (rounds.domain[row] < 0) continue;
    rounds.domain_names[static_cast<std::size_t>(rounds.domain[row])].copy(&packed[row * kMaxDomainBytes],
                                                                           kMaxDomainBytes);
  }
  H5::StrType text(H5::PredType::C_S1, kMaxDomainBytes);
  text.setCset(H5T_CSET_UTF8);
  text.setStrpad(H5T_STR_NULLPAD);
  write_dataset(group, "domain", text, text, {rows}, packed.data());
  for (const RoundSignal& signal : round_signals()) {
    std::vector<float> values = rounds.*signal.column;
    if (values.empty()) continue;
    for (float& value : values) {  // a NaN's sign and payload depend on how it came about
      if (std::isnan(value)) value = std::numeric_limits<float>::quiet_NaN();
    }
    write_dataset(group, signal.name, H5::PredType::IEEE_F32LE, H5::PredType::NATIVE_FLOAT,
                  {rows, static_cast<hsize_t>(rounds.block_size)}, values.data());
  }
}

std::string encode(const Rounds& rounds) {
  H5::FileAccPropList access;
  access.setCore(1 << 20, false);
  // As results are written (hdf5_writer.cpp says why).
  H5Pset_libver_bounds(access.getId(), H5F_LIBVER_EARLIEST, H5F_LIBVER_V18);
  const H5::FileCreatPropList creation;
  H5Pset_obj_track_times(creation.getId(), false);
  H5::H5File file("in memory", H5F_ACC_TRUNC, creation, access);
  const H5::PropList properties(H5P_GROUP_CREATE);
  H5Pset_obj_track_times(properties.getId(), false);
  const hid_t id = H5Gcreate2(file.getId(), "rounds", H5P_DEFAULT, properties.getId(), H5P_DEFAULT);
  if (id < 0) throw H5::GroupIException("encode_rounds_hdf5", "rounds");
  H5::Group group;
  group.setId(id);
  H5Idec_ref(id);  // setId took a reference of its own
  write_rounds(group, rounds);
  group.close();
  file.flush(H5F_SCOPE_GLOBAL);
  const ssize_t size = H5Fget_file_image(file.getId(), nullptr, 0);
  if (size <= 0) throw H5::FileIException("encode_rounds_hdf5", "no image");
  std::string image(static_cast<std::size_t>(size), '\0');
  if (H5Fget_file_image(file.getId(), image.data(), image.size()) != size) {
    throw H5::FileIException("encode_rounds_hdf5", "no image");
  }
  return image;
}

}  // namespace

Result<Rounds> decode_rounds_hdf5(std::string_view bytes, const std::string& path) {
  const auto image = checked_image(bytes, path);
  if (!image) return Error{image.error().message, {}, "rounds of another program are read as CSV"};
  const auto refuse = [&](std::string_view what) {
    return Error{fmt::format("'{}' holds no table of rounds: {}", path, what)};
  };
  H5::Exception::dontPrint();
  try {
    Rounds rounds = decode(*image);
    if (const auto fault = find_fault(rounds)) {
      return Error{
          fmt::format("'{}', /rounds, row {}: {}", path, fault->row, fault->message), {}, fault->advice};
    }
    return rounds;
  } catch (const Unexpected& unexpected) {
    return refuse(unexpected.what);
  } catch (const H5::Exception& failure) {
    return refuse(failure.getDetailMsg());
  } catch (const std::bad_alloc&) {
    return refuse("it does not fit into memory");
  }
}

Result<std::string> encode_rounds_hdf5(const Rounds& rounds) {
  H5::Exception::dontPrint();
  try {
    return with_user_block(encode(rounds));
  } catch (const H5::Exception& failure) {
    return Error{"cannot build the file of rounds: " + failure.getDetailMsg()};
  }
}

}  // namespace dspark
