#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/digest.h"
#include "experiments/regular_file.h"
#include "sim/scenario.h"

namespace dspark {

/// One finished point × replication, the unit of work and of resuming.
struct LogRecord {
  std::int64_t point = 0;
  std::int64_t replication = 0;
  ReplicationResult result = {};
};

/// CBOR, and back; nullopt for bytes that are not such a record.
std::string encode_record(const LogRecord& record);
std::optional<LogRecord> decode_record(std::string_view bytes);

/// The log's bytes: a header (magic, digest of the work, checksum), then per record its length, XXH3 checksum
/// and CBOR.
std::string log_header(const Digest& work);
std::string framed_record(const LogRecord& record);

/// What stands in a log. `valid_bytes` ends before the first record that is torn or damaged; what follows it
/// is worth nothing, because lengths lead from one record to the next.
struct ParsedLog {
  bool has_header = false;
  bool foreign = false;  // starts with something that is neither a header nor the beginning of one
  Digest work;
  std::vector<LogRecord> records;
  std::size_t valid_bytes = 0;
};
ParsedLog parse_log(std::string_view bytes);
/// The same of a log of `size` bytes. Holds one record at a time besides those returned, and asks for memory
/// for none that is not there whole. Errors: those of `read`.
Result<ParsedLog> parse_log(const ReadPiece& read, std::size_t size);

}  // namespace dspark
