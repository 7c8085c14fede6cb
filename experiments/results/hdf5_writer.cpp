#include <H5Cpp.h>
#include <fmt/format.h>
#include <hdf5_hl.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "experiments/results/hdf5_file.h"
#include "experiments/results/stored_size.h"
#include "experiments/results/user_block.h"

namespace dspark {
namespace {

H5::StrType variable_text() {
  H5::StrType type(H5::PredType::C_S1, H5T_VARIABLE);
  type.setCset(H5T_CSET_UTF8);
  return type;
}

/// Object times would change the bytes from run to run; creation order keeps the tables as written.
H5::Group create_group(H5::Group& parent, const std::string& name) {
  const H5::PropList properties(H5P_GROUP_CREATE);
  H5Pset_obj_track_times(properties.getId(), false);
  H5Pset_link_creation_order(properties.getId(), H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
  const hid_t id = H5Gcreate2(parent.getId(), name.c_str(), H5P_DEFAULT, properties.getId(), H5P_DEFAULT);
  if (id < 0) throw H5::GroupIException("create_group", name);
  H5::Group group;
  group.setId(id);
  H5Idec_ref(id);  // setId took a reference of its own
  return group;
}

void write_attribute(H5::H5Object& object, const std::string& name, const std::string& value) {
  const H5::StrType type = variable_text();
  object.createAttribute(name, type, H5::DataSpace(H5S_SCALAR)).write(type, value);
}
void write_attribute(H5::H5Object& object, const std::string& name, std::int64_t value) {
  object.createAttribute(name, H5::PredType::STD_I64LE, H5::DataSpace(H5S_SCALAR))
      .write(H5::PredType::NATIVE_INT64, &value);
}

H5::DataSet create_dataset(H5::Group& group, const std::string& name, const H5::DataType& type,
                           std::size_t rows, bool compressed) {
  const H5::DSetCreatPropList properties;
  H5Pset_obj_track_times(properties.getId(), false);
  if (compressed && rows > 0) {
    const hsize_t chunk = chunk_values(rows);
    properties.setChunk(1, &chunk);
    properties.setShuffle();
    properties.setDeflate(6);
  }
  const hsize_t extent = rows;
  return group.createDataSet(name, type, H5::DataSpace(1, &extent), properties);
}

H5::DataSet write_values(H5::Group& group, const std::string& name, const Numbers& values, bool compressed) {
  Numbers canonical = values;  // a NaN's sign and payload depend on how it came about
  for (double& value : canonical) {
    if (std::isnan(value)) value = std::numeric_limits<double>::quiet_NaN();
  }
  H5::DataSet dataset = create_dataset(group, name, H5::PredType::IEEE_F64LE, values.size(), compressed);
  if (!values.empty()) dataset.write(canonical.data(), H5::PredType::NATIVE_DOUBLE);
  return dataset;
}
H5::DataSet write_values(H5::Group& group, const std::string& name, const Integers& values, bool compressed) {
  H5::DataSet dataset = create_dataset(group, name, H5::PredType::STD_I64LE, values.size(), compressed);
  if (!values.empty()) dataset.write(values.data(), H5::PredType::NATIVE_INT64);
  return dataset;
}
/// A column of texts is as wide as its longest.
std::size_t width_of(const Texts& values) {
  std::size_t width = 1;
  for (const std::string& value : values) width = std::max(width, value.size());
  return width;
}
H5::DataSet write_values(H5::Group& group, const std::string& name, const Texts& values, bool compressed) {
  const std::size_t width = width_of(values);
  std::string packed(width * values.size(), '\0');
  for (std::size_t i = 0; i < values.size(); ++i) values[i].copy(packed.data() + i * width, width);
  H5::StrType type(H5::PredType::C_S1, width);
  type.setCset(H5T_CSET_UTF8);
  type.setStrpad(H5T_STR_NULLPAD);
  H5::DataSet dataset = create_dataset(group, name, type, values.size(), compressed);
  if (!values.empty()) dataset.write(packed.data(), type);
  return dataset;
}

H5::DataSet write_matrix(H5::Group& group, const Column& column) {
  const Numbers& values = std::get<Numbers>(column.values);
  std::vector<float> canonical(values.begin(), values.end());
  for (float& value : canonical) {
    if (std::isnan(value)) value = std::numeric_limits<float>::quiet_NaN();
  }
  const H5::DSetCreatPropList properties;
  H5Pset_obj_track_times(properties.getId(), false);
  const hsize_t extent[] = {column.size(), column.positions};
  H5::DataSet dataset =
      group.createDataSet(column.name, H5::PredType::IEEE_F32LE, H5::DataSpace(2, extent), properties);
  if (!values.empty()) dataset.write(canonical.data(), H5::PredType::NATIVE_FLOAT);
  return dataset;
}

H5::DataSet write_column(H5::Group& group, const Column& column, bool compressed) {
  if (column.positions > 0) return write_matrix(group, column);
  return std::visit([&](const auto& values) { return write_values(group, column.name, values, compressed); },
                    column.values);
}

void write_table(H5::Group& root, const Table& table) {
  H5::Group group = create_group(root, table.name);
  write_attribute(group, "description", table.description);
  H5::DataSet key;
  for (const Column& column : table.columns) {
    H5::DataSet dataset = write_column(group, column, table.compressed);
    write_attribute(dataset, "unit", column.unit);
    write_attribute(dataset, "description", column.description);
    if (!table.keyed) continue;
    if (&column == &table.columns.front()) {
      H5DSset_scale(dataset.getId(), column.name.c_str());
      key = dataset;
    } else {
      H5DSattach_scale(dataset.getId(), key.getId(), 0);
    }
  }
}

std::string encode(const ResultFile& content) {
  H5::FileAccPropList access;
  access.setCore(/*increment=*/1 << 20, /*backing_store=*/false);
  // Fixed bounds: the same format whichever newer library writes it. The earliest superblock, because
  // H5Fget_file_image of HDF5 1.10 leaves those that have a checksum with a wrong one.
  H5Pset_libver_bounds(access.getId(), H5F_LIBVER_EARLIEST, H5F_LIBVER_V18);
  const H5::FileCreatPropList creation;
  H5Pset_obj_track_times(creation.getId(), false);
  H5Pset_link_creation_order(creation.getId(), H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
  H5::H5File file("in memory", H5F_ACC_TRUNC, creation, access);
  H5::Group root = file.openGroup("/");
  for (const auto& [name, value] : content.attributes) {
    std::visit([&, &key = name](const auto& v) { write_attribute(root, key, v); }, value);
  }
  for (const Table& table : content.tables) write_table(root, table);
  file.flush(H5F_SCOPE_GLOBAL);
  const ssize_t size = H5Fget_file_image(file.getId(), nullptr, 0);
  if (size <= 0) throw H5::FileIException("encode_hdf5", "no image");
  std::string image(static_cast<std::size_t>(size), '\0');
  if (H5Fget_file_image(file.getId(), image.data(), image.size()) != size) {
    throw H5::FileIException("encode_hdf5", "no image");
  }
  return image;
}

std::size_t bytes_of(const Numbers& values) { return values.size() * sizeof(double); }
std::size_t bytes_of(const Integers& values) { return values.size() * sizeof(std::int64_t); }
std::size_t bytes_of(const Texts& values) { return values.size() * width_of(values); }
std::size_t bytes_of(const std::string& text) { return text.size(); }
std::size_t bytes_of(std::int64_t) { return sizeof(std::int64_t); }

Error too_large(std::size_t bytes, std::size_t most) {
  return {
      fmt::format("the result has at least {} bytes and could not be read back: {} are allowed", bytes, most),
      {},
      "split the sweep, or keep fewer metrics; finished runs are kept"};
}

}  // namespace

std::size_t least_bytes(const ResultFile& content) {
  std::size_t bytes = kUserBlockBytes;
  const auto add = [&bytes](const auto& value) { bytes += bytes_of(value); };
  for (const auto& attribute : content.attributes) std::visit(add, attribute.second);
  for (const Table& table : content.tables) {
    for (const Column& column : table.columns) {
      if (column.positions > 0) {
        bytes += column.size() * column.positions * sizeof(float);
      } else {
        std::visit(add, column.values);
      }
    }
  }
  return bytes;
}

Result<std::string> encode_hdf5(const ResultFile& content, std::size_t most) {
  if (const std::size_t least = least_bytes(content); least > most) return too_large(least, most);
  H5::Exception::dontPrint();
  try {
    std::string file = with_user_block(encode(content));
    if (file.size() > most) return too_large(file.size(), most);
    return file;
  } catch (const H5::Exception& failure) {
    return Error{"cannot build the result file: " + failure.getDetailMsg()};
  }
}

}  // namespace dspark
