#pragma once

#include <map>
#include <string>
#include <vector>

#include "executor/checkpoint/mapped_file.h"
#include "executor/checkpoint/safetensors.h"
#include "tests/executor/checkpoint/model_folder.h"

namespace dspark {

struct StoredTensor {
  Dtype dtype = Dtype::kF32;
  std::vector<std::size_t> shape;
  std::string bytes;
};

/// The config and the tensors of a model of one file, to be spoilt and written again.
class SpoiltModel {
 public:
  explicit SpoiltModel(const std::string& folder)
      : config(MappedFile::open(folder + "/config.json")->bytes()) {
    const auto file = *MappedFile::open(folder + "/model.safetensors");
    const auto header = *parse_safetensors(file.bytes(), folder);
    for (const TensorInfo& info : header.tensors)
      tensors[info.name] = {
          info.dtype, info.shape,
          std::string(file.bytes().substr(header.data_begin + info.begin, info.end - info.begin))};
  }

  void write(const ModelFolder& folder) const {
    folder.write("config.json", config);
    std::string header, data;
    for (const auto& [name, tensor] : tensors) {
      header += std::string(header.empty() ? "{\"" : ",\"") + name + R"(":{"dtype":")" +
                std::string(dtype_name(tensor.dtype)) + R"(","shape":)" + shape_text(tensor.shape) +
                R"(,"data_offsets":[)" + std::to_string(data.size()) + "," +
                std::to_string(data.size() + tensor.bytes.size()) + "]}";
      data += tensor.bytes;
    }
    header += '}';
    folder.write("model.safetensors", safetensors(header, data));
  }

  std::string config;
  std::map<std::string, StoredTensor> tensors;
};

/// A message without the folder's path.
inline std::string without_path(std::string text, const std::string& path) {
  for (std::size_t at; (at = text.find(path)) != std::string::npos;) text.replace(at, path.size(), 1, 'F');
  return text;
}

}  // namespace dspark
