#include <H5Cpp.h>
#include <fmt/format.h>

#include <cstdint>
#include <vector>

#include "experiments/results/hdf5_file.h"
#include "experiments/results/stored_size.h"
#include "experiments/results/user_block.h"

namespace dspark {
namespace {

/// Content that our writer never makes, behind a valid digest.
struct Unexpected {
  std::string what;
};

std::string read_text_attribute(const H5::H5Object& object, const std::string& name) {
  const H5::Attribute attribute = object.openAttribute(name);
  // The library reads as many texts as there are, into the place of one.
  if (attribute.getTypeClass() != H5T_STRING || attribute.getSpace().getSimpleExtentNpoints() != 1) {
    throw Unexpected{"attribute " + name};
  }
  std::string value;
  attribute.read(attribute.getStrType(), value);
  return value;
}

ResultFile::Attribute read_attribute(const H5::H5Object& object, const std::string& name) {
  const H5::Attribute attribute = object.openAttribute(name);
  if (attribute.getTypeClass() == H5T_STRING) return read_text_attribute(object, name);
  if (attribute.getTypeClass() != H5T_INTEGER || attribute.getSpace().getSimpleExtentNpoints() != 1) {
    throw Unexpected{"attribute " + name};
  }
  std::int64_t value = 0;
  attribute.read(H5::PredType::NATIVE_INT64, &value);
  return value;
}

std::size_t rows_of(const H5::DataSet& dataset, const std::string& name, StoredSize& stored) {
  const H5::DataSpace space = dataset.getSpace();
  if (space.getSimpleExtentNdims() != 1) throw Unexpected{"column " + name};
  const auto rows = static_cast<std::size_t>(space.getSimpleExtentNpoints());
  if (!stored.holds(dataset, rows) && !stored.holds_compressed(dataset, rows))
    throw Unexpected{fmt::format("column {} is not stored whole", name)};
  return rows;
}

Texts read_texts(const H5::DataSet& dataset, std::size_t rows) {
  const H5::StrType type = dataset.getStrType();
  if (type.isVariableStr()) throw Unexpected{"text of variable length"};
  const std::size_t width = type.getSize();
  std::string packed(width * rows, '\0');
  if (rows > 0) dataset.read(packed.data(), type);
  Texts texts;
  for (std::size_t i = 0; i < rows; ++i) {
    const std::string_view cell(packed.data() + i * width, width);
    texts.emplace_back(cell.substr(0, cell.find('\0')));
  }
  return texts;
}

void read_matrix(const H5::DataSet& dataset, StoredSize& stored, Column& column) {
  hsize_t extent[2] = {0, 0};
  dataset.getSpace().getSimpleExtentDims(extent);
  constexpr hsize_t kMost = hsize_t{1} << 31;  // keeps the product in range
  if (dataset.getTypeClass() != H5T_FLOAT || extent[0] > kMost || extent[1] < 1 || extent[1] > kMost)
    throw Unexpected{"column " + column.name};
  const hsize_t values = extent[0] * extent[1];
  if (!stored.holds(dataset, values)) throw Unexpected{"column " + column.name + " is not stored whole"};
  std::vector<float> read(values);
  if (!read.empty()) dataset.read(read.data(), H5::PredType::NATIVE_FLOAT);
  column.values = Numbers(read.begin(), read.end());
  column.positions = extent[1];
}

Column read_column(const H5::Group& group, const std::string& name, StoredSize& stored) {
  const H5::DataSet dataset = group.openDataSet(name);
  Column column{name, read_text_attribute(dataset, "unit"), read_text_attribute(dataset, "description"), {}};
  if (dataset.getSpace().getSimpleExtentNdims() == 2) {
    read_matrix(dataset, stored, column);
    return column;
  }
  const std::size_t rows = rows_of(dataset, name, stored);
  switch (dataset.getTypeClass()) {
    case H5T_FLOAT: {
      Numbers values(rows);
      if (rows > 0) dataset.read(values.data(), H5::PredType::NATIVE_DOUBLE);
      column.values = std::move(values);
      return column;
    }
    case H5T_INTEGER: {
      Integers values(rows);
      if (rows > 0) dataset.read(values.data(), H5::PredType::NATIVE_INT64);
      column.values = std::move(values);
      return column;
    }
    case H5T_STRING:
      column.values = read_texts(dataset, rows);
      return column;
    default:
      throw Unexpected{"column " + name};
  }
}

std::vector<std::string> names_in_order(const H5::Group& group) {
  std::vector<std::string> names;
  const auto collect = [](hid_t, const char* name, const H5L_info_t*, void* out) -> herr_t {
    static_cast<std::vector<std::string>*>(out)->emplace_back(name);
    return 0;
  };
  if (H5Literate(group.getId(), H5_INDEX_CRT_ORDER, H5_ITER_INC, nullptr, collect, &names) < 0) {
    throw Unexpected{"order of tables"};
  }
  return names;
}

Table read_table(const H5::Group& root, const std::string& name, StoredSize& stored) {
  if (root.childObjType(name) != H5O_TYPE_GROUP) throw Unexpected{"table " + name};
  const H5::Group group = root.openGroup(name);
  Table table{name, read_text_attribute(group, "description"), false, {}};
  for (const std::string& column : names_in_order(group)) {
    if (group.childObjType(column) != H5O_TYPE_DATASET) throw Unexpected{"column " + column};
    table.columns.push_back(read_column(group, column, stored));
    if (table.columns.back().size() != table.rows()) throw Unexpected{"length of column " + column};
  }
  if (table.columns.empty()) return table;
  const H5::DataSet first = group.openDataSet(table.columns.front().name);
  table.keyed = first.attrExists("CLASS");
  table.compressed = first.getCreatePlist().getLayout() == H5D_CHUNKED;
  return table;
}

ResultFile decode(std::string_view image) {
  H5::FileAccPropList access;
  access.setCore(1 << 20, false);
  // HDF5 copies the image; const is its interface's omission.
  if (H5Pset_file_image(access.getId(), const_cast<char*>(image.data()), image.size()) < 0) {
    throw Unexpected{"no memory for it"};
  }
  const H5::H5File file("in memory", H5F_ACC_RDONLY, H5::FileCreatPropList::DEFAULT, access);
  const H5::Group root = file.openGroup("/");
  ResultFile content;
  for (int i = 0; i < root.getNumAttrs(); ++i) {
    const std::string name = root.openAttribute(static_cast<unsigned>(i)).getName();
    content.attributes.emplace_back(name, read_attribute(root, name));
  }
  StoredSize stored(image.size());
  for (const std::string& name : names_in_order(root)) {
    content.tables.push_back(read_table(root, name, stored));
  }
  return content;
}

}  // namespace

Result<ResultFile> decode_hdf5(std::string_view bytes, const std::string& path) {
  const auto image = checked_image(bytes, path);
  if (!image) return image.error();
  const auto refuse = [&](std::string_view what) {
    return Error{fmt::format("'{}' is not as dspark writes it: {}", path, what)};
  };
  H5::Exception::dontPrint();
  try {
    return decode(*image);
  } catch (const Unexpected& unexpected) {
    return refuse(unexpected.what);
  } catch (const H5::Exception& failure) {
    return refuse(failure.getDetailMsg());
  } catch (const std::bad_alloc&) {
    return refuse("it does not fit into memory");
  }
}

Result<ResultFile> read_result_file(const std::string& path) {
  const auto bytes = read_checked_file(path);
  if (!bytes) return bytes.error();
  return decode_hdf5(*bytes, path);
}

}  // namespace dspark
