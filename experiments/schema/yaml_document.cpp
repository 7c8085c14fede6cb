#include "experiments/schema/yaml_document.h"

#include <algorithm>
#include <tuple>

#include "experiments/schema/input_files.h"
#include "experiments/schema/set_option.h"
#include "experiments/schema/yaml_reader.h"

namespace dspark {

std::optional<Value> parse_document(const std::string& yaml, const std::string& path,
                                    const std::vector<std::string>& set_options, const std::string& kind,
                                    Errors& errors) {
  auto root = read_yaml(yaml, path);
  if (root && !root->map())
    root = Error{kind + " is a map of keys, not " + describe(*root), root->position,
                 "it starts with 'schema: 1'"};
  if (!root) {
    errors.push_back(root.error());
    return std::nullopt;
  }
  for (const std::string& option : set_options) {
    if (auto error = apply_set_option(*root, option)) errors.push_back(std::move(*error));
  }
  return *std::move(root);
}

std::optional<Value> read_document(const std::string& path, const std::vector<std::string>& set_options,
                                   const std::string& kind, Errors& errors) {
  const auto yaml = read_whole_file(path, kMaxYamlBytes);
  if (!yaml) {
    errors.push_back(yaml.error());
    return std::nullopt;
  }
  return parse_document(*yaml, path, set_options, kind, errors);
}

void sort_by_position(Errors& errors) {
  const auto place = [](const Error& e) {
    return std::tuple(e.position.source ? *e.position.source : std::string(), e.position.line,
                      e.position.column);
  };
  std::stable_sort(errors.begin(), errors.end(),
                   [&](const Error& a, const Error& b) { return place(a) < place(b); });
}

}  // namespace dspark
