#pragma once

#include <H5Cpp.h>

#include <algorithm>

#include "experiments/results/user_block.h"

namespace dspark {

/// Values of a chunk, where so many are compressed (shuffled bytes, then deflate): a chunk is no larger than
/// its dataset.
constexpr hsize_t chunk_values(hsize_t values) { return std::min<hsize_t>(values, 8192); }

/// Bounds what the datasets of one file may ask for. An extent, and the size that the HDF5 library states for
/// a contiguous dataset, are numbers in the file that need not be true: the bytes of all datasets read cannot
/// be more than the file has or, compressed, than kMaxResultBytes and than its bytes can be inflated to.
class StoredSize {
 public:
  explicit StoredSize(std::size_t file_bytes) : left_(file_bytes) {}

  /// True where the dataset's `values` are stored one by one (not compressed, no gaps) and fit into what the
  /// datasets asked for before leave of the file.
  bool holds(const H5::DataSet& dataset, hsize_t values) {
    const std::size_t width = dataset.getDataType().getSize();
    if (width == 0 || dataset.getCreatePlist().getLayout() == H5D_CHUNKED) return false;
    if (values > left_ / width || dataset.getStorageSize() != values * width) return false;
    left_ -= values * width;
    return true;
  }

  /// True where the dataset is compressed as our writer does it, all its chunks are there, none is larger
  /// than deflate makes one, and together they fit into what is left of the file.
  bool holds_compressed(const H5::DataSet& dataset, hsize_t values) {
    const H5::DSetCreatPropList properties = dataset.getCreatePlist();
    const std::size_t width = dataset.getDataType().getSize();
    if (width == 0 || values == 0 || properties.getLayout() != H5D_CHUNKED) return false;
    if (!is_our_filter(properties)) return false;
    hsize_t chunk = 0;
    if (properties.getChunk(1, &chunk) != 1 || chunk != chunk_values(values)) return false;
    const hsize_t chunks = (values + chunk - 1) / chunk;
    // Deflate gains a factor of 1032 at most: fewer bytes than this cannot be so many values.
    if (values > inflated_left_ / width || chunks > left_ || values * width / 1032 > left_) return false;
    const hsize_t largest = chunk * width + chunk * width / 100 + 64;
    for (hsize_t i = 0; i < chunks; ++i) {
      const hsize_t first = i * chunk;
      unsigned filters_left_out = 0;
      haddr_t at = HADDR_UNDEF;
      hsize_t bytes = 0;
      if (H5Dget_chunk_info_by_coord(dataset.getId(), &first, &filters_left_out, &at, &bytes) < 0)
        return false;
      if (at == HADDR_UNDEF || filters_left_out != 0 || bytes == 0 || bytes > largest || bytes > left_)
        return false;
      left_ -= bytes;
    }
    inflated_left_ -= values * width;
    return true;
  }

 private:
  static bool is_our_filter(const H5::DSetCreatPropList& properties) {
    if (properties.getNfilters() != 2) return false;
    const H5Z_filter_t expected[] = {H5Z_FILTER_SHUFFLE, H5Z_FILTER_DEFLATE};
    for (int i = 0; i < 2; ++i) {
      unsigned flags = 0, config = 0, values[8] = {};
      std::size_t count = 8;
      char name[16] = {};
      if (properties.getFilter(i, flags, count, values, sizeof name, name, config) != expected[i])
        return false;
    }
    return true;
  }

  std::size_t left_;
  std::size_t inflated_left_ = kMaxResultBytes;
};

}  // namespace dspark
