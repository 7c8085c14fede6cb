#pragma once

#include <H5Cpp.h>

namespace dspark {

/// Bounds what the datasets of one file may ask for. An extent, and the size that the HDF5 library states for
/// a contiguous dataset, are numbers in the file that need not be true: the bytes of all datasets read cannot
/// be more than the file has.
class StoredSize {
 public:
  explicit StoredSize(std::size_t file_bytes) : left_(file_bytes) {}

  /// True where the dataset's `values` are stored one by one (not compressed, no gaps) and fit into what the
  /// datasets asked for before leave of the file.
  bool holds(const H5::DataSet& dataset, hsize_t values) {
    const std::size_t width = dataset.getDataType().getSize();
    if (width == 0 || values > left_ / width || dataset.getStorageSize() != values * width) return false;
    left_ -= values * width;
    return true;
  }

 private:
  std::size_t left_;
};

}  // namespace dspark
