#include "server/http/csv_reply.hpp"

#include <nlohmann/json.hpp>

namespace pubsubsql::server::http {

namespace {

using json = nlohmann::json;

/// Receives a reply piece by piece and writes lines. Members other than `columns` and `data` are passed over; of these,
/// `columns` comes first, as the server writes them.
class csv_writer : public nlohmann::json_sax<json> {
 public:
  csv_writer(std::string& out, std::size_t bytes_max) : out_(out), bytes_max_(bytes_max) {}

  [[nodiscard]] bool has_columns() const { return has_columns_; }

  bool null() override { return field({}); }
  bool boolean(bool v) override { return field(v ? "true" : "false"); }
  bool number_integer(number_integer_t v) override { return field(std::to_string(v)); }
  bool number_unsigned(number_unsigned_t v) override { return field(std::to_string(v)); }
  bool number_float(number_float_t, const string_t& written) override { return field(written); }
  bool string(string_t& v) override { return v.empty() ? field("\"\"") : quoted(v); }
  bool binary(binary_t&) override { return true; }

  bool start_object(std::size_t) override { return true; }
  bool end_object() override { return true; }
  bool key(string_t& name) override {
    const bool are_columns = name == "columns";
    has_columns_ = has_columns_ || are_columns;
    line_depth_ = are_columns ? 1 : name == "data" ? 2 : 0;
    return true;
  }

  bool start_array(std::size_t) override {
    ++depth_;
    is_first_ = true;
    return true;
  }
  bool end_array() override {
    if (depth_-- == line_depth_) out_ += "\r\n";
    return out_.size() <= bytes_max_;
  }

  bool parse_error(std::size_t, const std::string&, const json::exception&) override { return false; }

 private:
  [[nodiscard]] bool is_in_line() const { return line_depth_ != 0 && depth_ == line_depth_; }

  void separate() {
    if (!is_first_) out_ += ',';
    is_first_ = false;
  }

  bool field(std::string_view text) {
    if (!is_in_line()) return true;
    separate();
    out_ += text;
    return out_.size() <= bytes_max_;
  }

  bool quoted(std::string_view text) {
    if (text.find_first_of("\",\r\n") == std::string_view::npos) return field(text);
    if (!is_in_line()) return true;
    separate();
    out_ += '"';
    for (const char c : text) out_.append(c == '"' ? 2 : 1, c);
    out_ += '"';
    return out_.size() <= bytes_max_;
  }

  std::string& out_;
  std::size_t bytes_max_;
  std::size_t depth_ = 0;       // of arrays
  std::size_t line_depth_ = 0;  // of the array that is a line; 0: none is, here
  bool has_columns_ = false;
  bool is_first_ = true;  // of its line
};

}  // namespace

csv_outcome append_csv(std::string& out, std::string_view reply, std::size_t bytes_max) {
  const std::size_t before = out.size();
  csv_writer writer(out, bytes_max);
  if (!json::sax_parse(reply, &writer)) return csv_outcome::too_large;
  if (writer.has_columns()) return csv_outcome::done;
  out.resize(before);
  return csv_outcome::no_rows;
}

}  // namespace pubsubsql::server::http
