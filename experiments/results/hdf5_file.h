#pragma once

#include <string>
#include <string_view>

#include "experiments/results/result_file.h"
#include "policies/error.h"

namespace dspark {

/// The bytes of the HDF5 file, user block with digest included; the same content gives the same bytes. Made
/// in memory, so that HDF5 never meets a full disk.
Result<std::string> encode_hdf5(const ResultFile& content);

/// Back from the bytes of a file named `path` in messages. The digest is checked before the HDF5 library sees
/// them.
Result<ResultFile> decode_hdf5(std::string_view bytes, const std::string& path);

Result<ResultFile> read_result_file(const std::string& path);

}  // namespace dspark
