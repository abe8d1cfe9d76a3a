#include "server/http/query_string.hpp"

#include <algorithm>
#include <charconv>

#include "parser/utf8.hpp"

namespace pubsubsql::server::http {

namespace {

/// Enough of a text to recognise it in a message.
constexpr std::size_t shown_bytes_max = 64;

std::optional<std::string> form_decoded(std::string_view text) {
  std::string spaced(text);
  std::ranges::replace(spaced, '+', ' ');
  return percent_decoded(spaced);
}

std::string listed(std::initializer_list<std::string_view> names) {
  std::string out;
  for (const std::string_view name : names) out.append(out.empty() ? "" : ", ").append(name);
  return out;
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      out += text[at];
      continue;
    }
    unsigned byte = 0;
    if (at + 2 >= text.size()) return std::nullopt;
    const char* const end = text.data() + at + 3;
    const auto [stop, failure] = std::from_chars(text.data() + at + 1, end, byte, 16);
    if (failure != std::errc() || stop != end) return std::nullopt;
    out += static_cast<char>(byte);
    at += 2;
  }
  return out;
}

result<parameters, std::string> parse_query(std::string_view query, std::initializer_list<std::string_view> known) {
  parameters out;
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(part.size() + 1, query.size()));
    if (part.empty()) continue;
    const std::size_t equals = std::min(part.find('='), part.size());
    auto name = form_decoded(part.substr(0, equals));
    auto value = form_decoded(part.substr(std::min(equals + 1, part.size())));
    if (!name || !value)
      return std::string("a % behind the ? is not followed by two hexadecimal digits; encode it as %25");
    if (parser::find_invalid_utf8(*name) != std::string_view::npos) {
      return std::string("the name of a parameter is not UTF-8; there are ") + listed(known);
    }
    if (std::ranges::find(known, *name) == known.end()) {
      return "there is no parameter '" + name->substr(0, parser::cut_at_character(*name, shown_bytes_max)) +
             "' here; there are " + listed(known);
    }
    if (find(out, *name) != nullptr) return "the parameter '" + *name + "' is there twice; give it once";
    out.emplace_back(std::move(*name), std::move(*value));
  }
  return out;
}

const std::string* find(const parameters& all, std::string_view name) {
  const auto it = std::ranges::find(all, name, &parameters::value_type::first);
  return it == all.end() ? nullptr : &it->second;
}

}  // namespace pubsubsql::server::http
