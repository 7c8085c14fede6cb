#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "executor/checkpoint/safetensors.h"
#include "policies/error.h"

namespace dspark {

/// A tensor that a model consists of.
struct ExpectedTensor {
  std::string name;
  std::vector<std::size_t> shape;
};

/// The weights in a model's folder: one `model.safetensors`, or the shards that
/// `model.safetensors.index.json` names. All headers are checked when it is opened; weights are read from the
/// disk when they are looked at. The tensors that it hands out live as long as it does.
class Checkpoint {
 public:
  /// Errors: neither or both of the two files; as SafetensorsFile::open; an index that is not as the format
  /// says, names a file outside the folder (one that is a link inside it is read: that is how downloads are
  /// kept) or disagrees with its shards, with the name of the tensor.
  static Result<Checkpoint> open(const std::string& folder);

  std::size_t tensors() const { return places_.size(); }
  bool has(std::string_view name) const { return places_.find(name) != places_.end(); }
  /// Errors: no such tensor (the nearest name is offered), another shape, a type that is none of weights.
  Result<Tensor> tensor(std::string_view name, std::span<const std::size_t> shape) const;
  /// The numbers of a tensor of ids. Errors: likewise, or it is not I64.
  Result<std::vector<std::int64_t>> integers(std::string_view name, std::span<const std::size_t> shape) const;
  const std::string& folder() const { return folder_; }
  /// What is wrong with the whole: expected tensors that are missing or not as expected, and surplus ones,
  /// but for names that begin with one of `ignored` (the vision part of a model of which the text part is
  /// read). At most ten errors and one that counts the rest.
  Errors check(std::span<const ExpectedTensor> expected, std::span<const std::string> ignored = {}) const;

 private:
  struct Place {
    std::size_t file = 0;    // of files_
    std::size_t tensor = 0;  // of its tensors()
  };

  /// Errors: no such tensor, or of another shape.
  Result<Place> find(std::string_view name, std::span<const std::size_t> shape) const;
  explicit Checkpoint(std::string folder) : folder_(std::move(folder)) {}
  /// Adds a file's tensors. Errors: one of them is in another file already.
  Errors add(SafetensorsFile file);
  Errors add_shards(const std::string& index_path);

  std::string folder_;
  std::vector<SafetensorsFile> files_;
  std::map<std::string, Place, std::less<>> places_;
};

}  // namespace dspark
