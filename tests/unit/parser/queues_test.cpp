#include "tests/unit/parser/examples.hpp"

namespace pubsubsql::parser {

TEST_CASE("queues: statements") {
  check({
      {"create queue q (job, n int) durable lease 30 seconds max attempts 5 dead letter d delay 2 seconds priority n",
       ""},
      {"create queue if not exists q (job varchar(20) not null, key (job)) priority job delay 1 minute max attempts 0",
       "create queue if not exists q (job varchar(20) not null, key (job)) max attempts 0 delay 60 seconds priority "
       "job"},
      {"create queue q (a)", ""},
      {"drop queue q", ""},
      {"drop queue if exists q", ""},
      {"push into q (a) values (x) delay 10 seconds", "push back into q (a) values (x) delay 10 seconds"},
      {"push into q (a) values (x), (y) delay 1500 millisecond returning id",
       "push back into q (a) values (x), (y) delay 1500 milliseconds returning id"},
      {"pop 10 from q", ""},
      {"pop 10 * from q where a = 1 wait 10 seconds lease 60 seconds", ""},
      {"pop 1 a, b from q lease 1 hour wait 1 day", "pop 1 a, b from q wait 86400 seconds lease 3600 seconds"},
      {"pop 3 * from q where a > 1 and b like 'x%'", "pop 3 * from q where a > 1 and b like x%"},
      {"ack q 1", ""},
      {"ack q 1, '2' , 3", "ack q 1, 2, 3"},
      {"nack q 1, 2 delay 5 seconds", ""},
      {"renew q 7 lease 2 minutes", "renew q 7 lease 120 seconds"},
      {"show queues", ""},
      {"stream ack q 1", ""},
      // as before
      {"pop from q", "pop back from q"},
      {"pop front * from q", ""},
      {"execute immediate 'pop ? from q where a = ? wait ? seconds' using 5, 'x', 10",
       "pop 5 from q where a = x wait 10 seconds"},
      {"execute immediate 'pop 1 from q lease ? seconds' using 2", "pop 1 from q lease 2 seconds"},
      {"stream pop from q", "stream pop back from q"},
      {"execute immediate 'ack q ?, ?' using 5, '6'", "ack q 5, 6"},
  });
}

TEST_CASE("queues: what cannot be read") {
  const auto refused = [](std::string_view sql) {
    INFO(sql);
    statement_arena arena;
    CHECK(!parse(sql, arena).has_value());
  };
  for (const std::string_view sql : {"create queue q",
                                     "create queue q (a) durable durable",
                                     "create queue q (a) lease",
                                     "create queue q (a) lease 3",
                                     "create queue q (a) lease 3 weeks",
                                     "create queue q (a) lease 100000 days",
                                     "create queue q (a) lease 0 seconds",
                                     "pop 1 from q lease 0 seconds",
                                     "renew q 1 lease 0 days",
                                     "stream pop 1 from q",
                                     "stream execute immediate 'pop 1 from q'",
                                     "execute immediate 'pop 1 from q lease ? seconds' using 0",
                                     "create queue q (a) max 3",
                                     "create queue q (a) dead d",
                                     "create queue q (a) engine = x",
                                     "pop 1",
                                     "pop 1 from",
                                     "pop 1.5 from q",
                                     "pop -1 from q",
                                     "pop 1 from q wait",
                                     "pop 1 from q wait 1 second wait 1 second",
                                     "ack q",
                                     "ack q a",
                                     "ack q 1 2",
                                     "ack q -1",
                                     "ack q 1.5",
                                     "nack q 1 delay",
                                     "renew q 1 delay 1 second",
                                     "push into q (a) values (x) delay 1"}) {
    refused(sql);
  }
}

}  // namespace pubsubsql::parser
