#pragma once

#include <string>
#include <string_view>

#include "experiments/results/result_file.h"
#include "experiments/results/user_block.h"
#include "policies/error.h"

namespace dspark {

/// The bytes of the HDF5 file, user block with digest included; the same content gives the same bytes. Made
/// in memory, so that HDF5 never meets a full disk. Errors: more than `most` bytes, which no reader of ours
/// would take back (asked before any is made, where the values alone are more); what HDF5 says.
Result<std::string> encode_hdf5(const ResultFile& content, std::size_t most = kMaxResultBytes);

/// Bytes of all values and texts: what a reader needs at least, and the file has but for what is compressed.
std::size_t least_bytes(const ResultFile& content);

/// Back from the bytes of a file named `path` in messages. The digest is checked before the HDF5 library sees
/// them.
Result<ResultFile> decode_hdf5(std::string_view bytes, const std::string& path);

Result<ResultFile> read_result_file(const std::string& path);

}  // namespace dspark
