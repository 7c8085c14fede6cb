#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "experiments/digest.h"
#include "experiments/sweep/record.h"
#include "policies/error.h"

namespace dspark {

/// `FILE.h5.partial`: what is finished of a sweep in progress. Each record is on the disk before the next one
/// is begun, so that a killed run loses at most the replications that were running. Locked against a second
/// run. Not thread-safe.
class ResultLog {
 public:
  enum class Refusal { kInvalidInput, kMachine };
  struct OpenError {
    Error error;
    Refusal refusal = Refusal::kMachine;
  };

  /// Opens or creates the log of `work`; damaged or torn ends are cut off. A log of other work is refused, or
  /// emptied where `fresh`. Give a new object.
  std::optional<OpenError> open(const std::string& path, const Digest& work, bool fresh);
  ResultLog() = default;
  ResultLog(const ResultLog&) = delete;
  ResultLog& operator=(const ResultLog&) = delete;
  ~ResultLog();

  /// What an earlier run finished; moves out.
  std::vector<LogRecord> take_finished() { return std::move(finished_); }
  std::size_t discarded_bytes() const { return discarded_bytes_; }

  /// After an error the log ends as before it. A log that was never opened keeps nothing.
  std::optional<Error> append(const LogRecord& record);
  /// The result file is complete: the log is not needed any more.
  void remove();

 private:
  std::optional<OpenError> lock(const std::string& path);

  std::string path_;
  int fd_ = -1;
  off_t end_ = 0;  // behind the last whole record
  std::vector<LogRecord> finished_;
  std::size_t discarded_bytes_ = 0;
};

}  // namespace dspark
