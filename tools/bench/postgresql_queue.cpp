#include <utility>

#include "tools/bench/postgresql_messages.hpp"
#include "tools/bench/queue_dialect.hpp"

namespace bench {

namespace {

using namespace postgresql;

class postgresql_queue : public queue_dialect {
 public:
  postgresql_queue(std::unique_ptr<dialect> speech, unsigned rows_of_a_pop)
      : queue_dialect(std::move(speech)), rows_of_a_pop_(rows_of_a_pop), pop_(run("pop", {})) {}

  [[nodiscard]] std::vector<exchange> make_queue(bool durable) const override {
    const std::string kind = durable ? "" : "UNLOGGED ";
    return {{query("DROP TABLE IF EXISTS bench_queue"), 1},
            {query("CREATE " + kind + "TABLE bench_queue (id bigserial PRIMARY KEY, job varchar(40), n int)"), 1}};
  }

  [[nodiscard]] exchange push(std::uint64_t begin, std::uint64_t end) const override {
    return {query("INSERT INTO bench_queue (job, n) SELECT 'job number ' || i, i FROM generate_series(" +
                  std::to_string(begin) + ", " + std::to_string(end - 1) + ") i"),
            1};
  }

  [[nodiscard]] exchange preparation(bool durable) const override {
    const std::string commits = durable ? "on" : "off";
    return {query("SET synchronous_commit = " + commits) +
                parse("pop", "DELETE FROM bench_queue WHERE id IN (SELECT id FROM bench_queue ORDER BY id LIMIT " +
                                 std::to_string(rows_of_a_pop_) + " FOR UPDATE SKIP LOCKED) RETURNING id") +
                sync(),
            2};
  }

  [[nodiscard]] std::string pop() const override { return pop_; }

  [[nodiscard]] reply read_reply(std::string_view bytes) const override {
    reply r{.acknowledgement = {}};
    std::string_view rest = bytes;
    while (const auto m = take_message(rest)) {
      if (m->type == 'D') ++r.rows;
      if (m->type != 'Z') continue;
      r.bytes = bytes.size() - rest.size();
      return r;
    }
    return {};
  }

 private:
  unsigned rows_of_a_pop_;
  std::string pop_;
};

}  // namespace

std::unique_ptr<queue_dialect> make_postgresql_queue(std::string database, std::string user, unsigned rows_of_a_pop) {
  return std::make_unique<postgresql_queue>(make_postgresql_dialect(std::move(database), std::move(user)),
                                            rows_of_a_pop);
}

}  // namespace bench
