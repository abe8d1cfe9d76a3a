#include "storage/named_subscriptions.hpp"

#include <charconv>

#include "parser/print.hpp"

namespace pubsubsql::storage {

namespace {

/// Numbers and texts one behind the other, texts with their length before them: `12:3:abc`. No number is a `-`.
class packer {
 public:
  void put(std::optional<std::uint64_t> number) { out_ += number ? std::to_string(*number) + ':' : "-:"; }
  void put(std::string_view text) {
    put(std::uint64_t{text.size()});
    out_ += text;
  }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

class unpacker {
 public:
  explicit unpacker(std::string_view packed) : rest_(packed) {}

  std::optional<std::uint64_t> number() {
    if (rest_.starts_with("-:")) {
      rest_.remove_prefix(2);
      return std::nullopt;
    }
    std::uint64_t read = 0;
    const auto [end, problem] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), read);
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    good_ = good_ && problem == std::errc{} && rest_.starts_with(':');
    if (good_) rest_.remove_prefix(1);
    return read;
  }
  std::string text() {
    const std::uint64_t bytes = number().value_or(0);
    good_ = good_ && bytes <= rest_.size();
    if (!good_) return {};
    std::string read(rest_.substr(0, bytes));
    rest_.remove_prefix(bytes);
    return read;
  }
  /// Whether all of it could be read.
  [[nodiscard]] bool is_done() const { return good_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool good_ = true;
};

}  // namespace

std::string definition_text(const parser::subscribe_statement& s) {
  parser::statement all;
  auto& body = all.body.emplace<parser::subscribe_statement>(s);
  body.on_slow.reset();
  body.with_seq = false;
  body.since.reset();
  body.name = {};
  return parser::print(all);
}

std::string pack(const subscription_description& s) {
  packer out;
  out.put(s.position);
  for (const std::string* text : {&s.name, &s.owner, &s.statement, &s.guarded}) out.put(std::string_view(*text));
  return out.take();
}

std::optional<subscription_description> unpack_subscription(std::string_view packed) {
  unpacker in(packed);
  subscription_description s;
  s.position = in.number();
  for (std::string* text : {&s.name, &s.owner, &s.statement, &s.guarded}) *text = in.text();
  if (!in.is_done()) return std::nullopt;
  return s;
}

std::string pack(const acknowledgement& a) {
  packer out;
  out.put(a.before);
  out.put(a.position);
  out.put(std::string_view(a.name));
  return out.take();
}

std::optional<acknowledgement> unpack_acknowledgement(std::string_view packed) {
  unpacker in(packed);
  acknowledgement a;
  a.before = in.number();
  a.position = in.number().value_or(0);
  a.name = in.text();
  if (!in.is_done()) return std::nullopt;
  return a;
}

}  // namespace pubsubsql::storage
