#pragma once

#include <map>
#include <mutex>
#include <vector>

#include "policies/error.h"

namespace dspark {

/// Results of a costly pure function by its numeric arguments, kept for the life of the program: the points
/// of a sweep that share an acceptance model solve it once. Thread-safe; the function runs under the lock.
template <class T>
class Remembered {
 public:
  template <class Function>
  Result<T> get(std::vector<double> arguments, Function&& compute) {
    const std::scoped_lock lock(mutex_);
    if (const auto found = results_.find(arguments); found != results_.end()) return found->second;
    return results_.emplace(std::move(arguments), compute()).first->second;
  }

 private:
  std::mutex mutex_;
  std::map<std::vector<double>, Result<T>> results_;
};

}  // namespace dspark
