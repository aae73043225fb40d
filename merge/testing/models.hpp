#pragma once

#include "base/testing/temporary_folder.hpp"
#include "merge/store/model_store.hpp"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <span>
#include <string>
#include <vector>

/// Helpers for the tests of this folder and of others that store models.
namespace swarm::merge::testing {

/// A folder for models.
class temp_directory {
public:
  const std::string& path() const { return folder_.path().native(); }
  std::string file(const std::string& name) const { return (folder_ / name).native(); }

private:
  swarm::testing::temporary_folder folder_;
};

inline bytes read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  REQUIRE(in);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline void write_file(const std::string& path, bytes_view data) {
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(data.data()), static_cast<std::streamsize>(data.size()));
  REQUIRE(out);
}

template <class T>
bytes raw_of(const std::vector<T>& values) {
  bytes out(values.size() * sizeof(T));
  if (!out.empty()) std::memcpy(out.data(), values.data(), out.size());
  return out;
}

template <class T>
std::vector<T> values_of(bytes_view raw) {
  std::vector<T> out(raw.size() / sizeof(T));
  if (!out.empty()) std::memcpy(out.data(), raw.data(), out.size() * sizeof(T));
  return out;
}

struct named_tensor {
  std::string name;
  dtype type;
  tensor_shape shape;
  bytes data;
};

/// Stores the tensors, which may be given in any order.
inline std::shared_ptr<const model_file> store_model(model_store& store,
                                                     const std::vector<named_tensor>& tensors) {
  std::vector<tensor_spec> specs;
  for (const auto& tensor : tensors)
    specs.push_back({tensor.name, tensor.type, tensor.shape});
  const auto layout = model_layout::make(specs);
  REQUIRE(layout);
  std::vector<bytes_view> data;
  for (const auto& info : layout->tensors()) {
    for (const auto& tensor : tensors) {
      if (tensor.name == info.name) data.emplace_back(tensor.data);
    }
  }
  auto file = store.put(*layout, data);
  REQUIRE_MESSAGE(file, (file ? "" : file.error().message));
  return *file;
}

inline model_store open_store(const std::string& directory, model_store::options limits = {}) {
  auto store = model_store::open_directory(directory, limits);
  REQUIRE_MESSAGE(store, (store ? "" : store.error().message));
  return std::move(*store);
}

} // namespace swarm::merge::testing
