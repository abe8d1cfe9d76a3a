#include "client/message.hpp"

#include <charconv>

#include <nlohmann/json.hpp>

namespace pubsubsql {
namespace {

using json = nlohmann::json;

/// Receives the JSON text piece by piece and fills the message, so that no tree of it is built.
class message_builder : public nlohmann::json_sax<json> {
 public:
  explicit message_builder(message& out) : out_(out) {}

  [[nodiscard]] const std::string& failure() const { return failure_; }

  bool null() override { return scalar(std::nullopt); }
  bool boolean(bool v) override { return scalar(v ? "true" : "false"); }
  bool number_integer(number_integer_t v) override { return scalar(std::to_string(v)); }
  bool number_unsigned(number_unsigned_t v) override { return scalar(std::to_string(v)); }
  bool number_float(number_float_t, const string_t& written) override { return scalar(written); }
  bool string(string_t& v) override { return scalar(v); }
  bool binary(binary_t&) override { return fail("binary data"); }

  bool start_object(std::size_t) override {
    ++depth_;
    if (depth_ > 1 && foreign_depth_ == 0) foreign_depth_ = depth_;
    return true;
  }

  bool end_object() override {
    if (depth_ == foreign_depth_) foreign_depth_ = 0;
    --depth_;
    return true;
  }

  bool key(string_t& name) override {
    if (depth_ == 1) member_ = name;
    return true;
  }

  bool start_array(std::size_t) override {
    if (depth_ == 0) return fail("a list where an object has to be");
    ++depth_;
    return true;
  }

  bool end_array() override {
    const bool row_ends = depth_ == 3 && member_ == "data" && foreign_depth_ == 0;
    --depth_;
    if (!row_ends) return true;
    ++rows_;
    const std::size_t columns = out_.data.columns().size();
    return out_.data.cells() == rows_ * columns ? true : fail("a row that has not as many values as there are columns");
  }

  bool parse_error(std::size_t, const std::string&, const json::exception& e) override { return fail(e.what()); }

 private:
  using text = std::optional<std::string_view>;

  bool scalar(text v) {
    if (foreign_depth_ != 0) return true;
    switch (depth_) {
      case 0:
        return fail("a single value where an object has to be");
      case 1:
        return member(v);
      case 2:
        return element(v);
      default:
        if (member_ == "data" && depth_ == 3) out_.data.add_cell(v);
        return true;
    }
  }

  bool member(text v) {
    const std::string_view written = v.value_or("");
    if (member_ == "status") return out_.ok = written == "ok", true;
    if (member_ == "action") return out_.action = written, true;
    if (member_ == "msg") return out_.text = written, true;
    if (member_ == "offset") return number(written, out_.offset.emplace());
    if (member_ == "rows") return number(written, out_.rows);
    if (member_ == "fromrow") return true;
    if (member_ == "torow") return number(written, out_.last_row.emplace());
    if (member_ == "pubsubid") return number(written, out_.pubsubid);
    if (member_ == "lost") return number(written, out_.lost);
    if (member_ == "seq") return number(written, out_.seq.emplace());
    if (member_ == "resync") return out_.resync = written == "true", true;
    if (member_ == "resumed") return out_.resumed = written == "true", true;
    if (member_ == "snapshot") return out_.snapshot_end = written == "end", true;
    if (member_ == "code") out_.has_code = true;
    if (member_ == "subscriptions") return number(written, out_.subscriptions);
    out_.facts.emplace_back(member_, written);
    return true;
  }

  bool element(text v) {
    if (member_ == "data") return fail("a value in 'data' that is in no row");
    if (member_ == "columns") {
      if (out_.data.cells() != 0) return fail("'columns' behind 'data'");
      out_.data.add_column(std::string(v.value_or("")));
    } else {
      out_.facts.emplace_back(member_, v.value_or(""));
    }
    return true;
  }

  bool number(std::string_view written, std::uint64_t& out) {
    const char* end = written.data() + written.size();
    const auto [stop, failure] = std::from_chars(written.data(), end, out);
    return failure == std::errc{} && stop == end ? true : fail("'" + member_ + "' is no whole number");
  }

  bool fail(std::string why) {
    failure_ = std::move(why);
    return false;
  }

  message& out_;
  std::string member_;
  std::string failure_;
  int depth_ = 0;
  int foreign_depth_ = 0;  // depth of the outermost object inside a member that means nothing to us; 0: in none
  std::size_t rows_ = 0;
};

}  // namespace

std::optional<std::string> decode(std::string_view payload, message& out) {
  out = {};
  message_builder builder(out);
  if (json::sax_parse(payload.begin(), payload.end(), &builder)) return std::nullopt;
  return builder.failure();
}

}  // namespace pubsubsql
