#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include <absl/container/flat_hash_map.h>
#include <absl/hash/hash.h>
#include <absl/strings/string_view.h>

namespace pubsubsql::storage {

/// Hash of a text, for maps that are searched by view; differs from run to run. Debian builds Abseil with a string_view
/// of its own, so Abseil's default hash of std::string knows nothing of std::string_view.
struct text_hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return absl::Hash<absl::string_view>{}(absl::string_view(text.data(), text.size()));
  }
};

/// A hash map from texts that it owns.
template <typename Value>
using text_map = absl::flat_hash_map<std::string, Value, text_hash, std::equal_to<>>;

/// A hash map from texts that live elsewhere.
template <typename Value>
using text_view_map = absl::flat_hash_map<std::string_view, Value, text_hash, std::equal_to<>>;

}  // namespace pubsubsql::storage
