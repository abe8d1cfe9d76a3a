#include <stdexcept>

#include "parser/frame.hpp"
#include "tools/bench/dialect.hpp"

namespace bench {

namespace {

using pubsubsql::parser::frame_header_bytes;

constexpr std::size_t id_at = 4;
constexpr std::string_view error_begin = R"({"status":"err")";

std::string framed(const std::string& statement) {
  const auto header =
      pubsubsql::parser::encode({.payload_bytes = static_cast<std::uint32_t>(statement.size()), .request_id = 1});
  return std::string(header.data(), header.size()) + statement;
}

std::string statement_for(operation o) {
  const stock_row r = request_template::row();
  switch (o) {
    case operation::update:
      return update_statement(r);
    case operation::select:
      return select_statement(r);
    case operation::publish:
      return publish_statement(r);
    case operation::insert:
      break;
  }
  return insert_statement(r);
}

/// PubSubSQL's frames. A reply is one message, as long as it has no more than 100 rows.
class framed_dialect : public dialect {
 public:
  [[nodiscard]] std::vector<exchange> make_table() const override {
    const std::string table(stocks_table);
    return {{framed("key " + table + " ticker"), 1}, {framed("tag " + table + " sector"), 1}};
  }

  [[nodiscard]] request_template request(operation o) const override {
    return request_template(framed(statement_for(o)), id_at);
  }

  [[nodiscard]] taken_replies take_replies(std::string_view bytes) const override {
    taken_replies taken;
    while (bytes.size() - taken.bytes >= frame_header_bytes) {
      const auto header = pubsubsql::parser::decode_frame_header(bytes.substr(taken.bytes));
      const std::size_t size = frame_header_bytes + header.payload_bytes;
      if (bytes.size() - taken.bytes < size) break;
      const std::string_view payload = bytes.substr(taken.bytes + frame_header_bytes, header.payload_bytes);
      if (payload.starts_with(error_begin)) throw std::runtime_error("PubSubSQL says: " + std::string(payload));
      taken.bytes += size;
      ++taken.replies;
    }
    return taken;
  }
};

}  // namespace

std::unique_ptr<dialect> make_framed_dialect() {
  return std::make_unique<framed_dialect>();
}

}  // namespace bench
