#include "server/json_request.hpp"

#include <array>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "parser/bound_text.hpp"
#include "parser/utf8.hpp"

namespace pubsubsql::server {

namespace {

using json = nlohmann::json;

/// Enough of a member's name to recognise it.
constexpr std::size_t shown_bytes_max = 40;

/// Receives the JSON text piece by piece, so that no tree of it is built. The first call that returns false ends it.
class request_builder : public nlohmann::json_sax<json> {
 public:
  /// How many requests there may be in a list; 0: there may be no list.
  explicit request_builder(std::size_t requests_max) : requests_max_(requests_max) {}

  [[nodiscard]] std::vector<json_request>& requests() { return requests_; }
  [[nodiscard]] json_problem problem() { return {.id = request_.id, .message = std::move(problem_)}; }

  bool null() override { return scalar("null"); }
  bool boolean(bool v) override { return scalar(v ? "1" : "0"); }
  bool number_integer(number_integer_t v) override { return scalar(std::to_string(v)); }
  bool number_unsigned(number_unsigned_t v) override { return place_ == place::id ? id(v) : scalar(std::to_string(v)); }
  bool number_float(number_float_t, const string_t& written) override { return scalar(written); }
  bool binary(binary_t&) override { return fail("binary data cannot be a value; send it as text"); }

  bool string(string_t& v) override {
    if (place_ == place::sql) {
      sql_ = std::move(v);
      place_ = place::object;
      return true;
    }
    if (place_ != place::values) return misplaced();
    separate();
    parser::append_quoted(values_, v);
    return true;
  }

  bool start_object(std::size_t) override {
    if (place_ != place::outside && place_ != place::list) return misplaced();
    if (place_ == place::list && requests_.size() == requests_max_) {
      return fail("the list has more than " + std::to_string(requests_max_) + " requests; send fewer at a time");
    }
    place_ = place::object;
    return true;
  }

  bool end_object() override {
    if (!sql_) return fail(R"(the request has no "sql"; send {"sql": "STATEMENT"})");
    if (values_.empty()) {
      request_.text = std::move(*sql_);
    } else {
      parser::append_bound(request_.text, *sql_, values_);
    }
    requests_.push_back(std::exchange(request_, {}));
    sql_.reset();
    values_.clear();
    has_ = {};
    place_ = in_list_ ? place::list : place::outside;
    return true;
  }

  bool key(string_t& name) override {
    static constexpr std::array<std::pair<std::string_view, place>, 3> members = {
        {{"id", place::id}, {"sql", place::sql}, {"values", place::before_values}}};
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (name != members[i].first) continue;
      if (std::exchange(has_[i], true)) return fail("the request has \"" + name + "\" twice");
      place_ = members[i].second;
      return true;
    }
    const std::string shown = name.substr(0, parser::cut_at_character(name, shown_bytes_max));
    return fail("the request has an unknown member \"" + shown + R"("; there are "id", "sql" and "values")");
  }

  bool start_array(std::size_t) override {
    if (place_ == place::before_values) {
      place_ = place::values;
      return true;
    }
    if (place_ != place::outside || requests_max_ == 0) return misplaced();
    in_list_ = true;
    place_ = place::list;
    return true;
  }

  bool end_array() override {
    place_ = place_ == place::values ? place::object : place::outside;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const json::exception& e) override {
    constexpr int number_overflow = 406;
    if (e.id == number_overflow) return fail("a number is too large; send it as text");
    return fail("the request is no valid JSON at byte " + std::to_string(position) +
                "; it is to be in UTF-8, with white space, quotes and commas as RFC 8259 has them");
  }

 private:
  enum class place : std::uint8_t { outside, list, object, id, sql, before_values, values };

  bool fail(std::string message) {
    problem_ = std::move(message);
    return false;
  }

  bool misplaced() {
    switch (place_) {
      case place::id:
        return fail("the \"id\" is to be a number from 1 to 4294967295");
      case place::sql:
        return fail("the \"sql\" is to be a text");
      case place::before_values:
        return fail(R"(the "values" are to be a list such as ["text", 5, null])");
      case place::values:
        return fail("a value is to be a text, a number, true, false or null; an object or a list can be sent as text");
      case place::outside:
      case place::list:
      case place::object:
        break;
    }
    return fail(R"(the request is to be an object such as {"sql": "STATEMENT", "values": []})");
  }

  /// A value that is not quoted, as it is to be written.
  bool scalar(std::string_view written) {
    if (place_ != place::values) return misplaced();
    separate();
    values_ += written;
    return true;
  }

  bool id(std::uint64_t number) {
    if (number == 0 || number > UINT32_MAX) return misplaced();
    request_.id = static_cast<std::uint32_t>(number);
    place_ = place::object;
    return true;
  }

  void separate() {
    if (!values_.empty()) values_ += ", ";
  }

  std::size_t requests_max_;
  std::vector<json_request> requests_;
  place place_ = place::outside;
  bool in_list_ = false;
  json_request request_;
  std::array<bool, 3> has_{};       // its members, in the order of key()
  std::optional<std::string> sql_;  // nothing: it has not come yet
  std::string values_;              // as they stand behind `using`
  std::string problem_;
};

}  // namespace

result<json_request, json_problem> read_json_request(std::string_view text) {
  request_builder builder(0);
  if (!json::sax_parse(text, &builder)) return builder.problem();
  return std::move(builder.requests().front());
}

result<std::vector<json_request>, json_problem> read_json_requests(std::string_view text, std::size_t requests_max) {
  request_builder builder(requests_max);
  if (!json::sax_parse(text, &builder)) return builder.problem();
  return std::move(builder.requests());
}

}  // namespace pubsubsql::server
