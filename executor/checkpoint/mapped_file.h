#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "policies/error.h"

namespace dspark {

/// The bytes of a regular file, mapped read-only: they are read from the disk when they are first looked at,
/// and a file larger than the memory can be opened. Nobody may shorten the file while it is mapped: the
/// system stops a program that looks at bytes that are gone.
class MappedFile {
 public:
  /// Errors, `cannot read 'PATH': ...`: missing, a directory, device or FIFO (which is not waited for), not
  /// permitted, more than `most` bytes.
  static Result<MappedFile> open(const std::string& path, std::size_t most = static_cast<std::size_t>(-1));
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::string_view bytes() const { return {static_cast<const char*>(address_), size_}; }

 private:
  MappedFile(void* address, std::size_t size) : address_(address), size_(size) {}

  void* address_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace dspark
