#include <stdexcept>

#include "parser/frame.hpp"
#include "tools/bench/framed_client.hpp"
#include "tools/bench/queue_dialect.hpp"

namespace bench {

namespace {

using pubsubsql::parser::frame_header_bytes;

std::string framed(std::string_view statement) {
  script one;
  one.add(statement);
  return std::string(one.bytes());
}

class framed_queue : public queue_dialect {
 public:
  explicit framed_queue(unsigned rows_of_a_pop)
      : queue_dialect(make_framed_dialect()), pop_(framed("pop " + std::to_string(rows_of_a_pop) + " id from q")) {}

  [[nodiscard]] std::vector<exchange> make_queue(bool durable) const override {
    const std::string suffix = durable ? " durable" : "";
    return {{framed("create queue q (job varchar(40), n int) lease 1 hour" + suffix), 1}};
  }

  [[nodiscard]] exchange push(std::uint64_t begin, std::uint64_t end) const override {
    std::string statement = "push into q (job, n) values ";
    for (std::uint64_t n = begin; n < end; ++n) {
      statement += (n > begin ? ", (" : "(") + ("'job number " + std::to_string(n)) + "', " + std::to_string(n) + ")";
    }
    return {framed(statement), 1};
  }

  [[nodiscard]] exchange preparation(bool) const override { return {}; }
  [[nodiscard]] std::string pop() const override { return pop_; }

  [[nodiscard]] reply read_reply(std::string_view bytes) const override {
    if (bytes.size() < frame_header_bytes) return {};
    const auto header = pubsubsql::parser::decode_frame_header(bytes);
    if (bytes.size() - frame_header_bytes < header.payload_bytes) return {};
    const std::string_view text = bytes.substr(frame_header_bytes, header.payload_bytes);
    constexpr std::string_view error_begin = R"({"status":"err")";
    if (text.starts_with(error_begin)) throw std::runtime_error("PubSubSQL says: " + std::string(text));
    reply r{.bytes = frame_header_bytes + text.size(), .acknowledgement = {}};
    constexpr std::string_view data = R"("data":[[)";
    const std::size_t at = text.find(data);
    if (at != std::string_view::npos) acknowledge(text.substr(at + data.size()), r);
    return r;
  }

 private:
  /// `rows` begins with the first: "7"],["8"]]}
  static void acknowledge(std::string_view rows, reply& r) {
    std::string ids;
    while (rows.starts_with('"')) {
      const std::size_t end = rows.find('"', 1);
      ids += (ids.empty() ? "ack q " : ", ") + std::string(rows.substr(1, end - 1));
      ++r.rows;
      rows.remove_prefix(end + 1);
      if (rows.starts_with("],[")) rows.remove_prefix(3);
    }
    r.acknowledgement = {framed(ids), 1};
  }

  std::string pop_;
};

}  // namespace

std::unique_ptr<queue_dialect> make_framed_queue(unsigned rows_of_a_pop) {
  return std::make_unique<framed_queue>(rows_of_a_pop);
}

}  // namespace bench
