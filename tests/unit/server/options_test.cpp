#include "server/options.hpp"

#include <cstdlib>
#include <vector>

#include <doctest/doctest.h>

using namespace pubsubsql::server;

namespace {

std::optional<options> read(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "pubsubsqld");
  int status = 0;
  return read_options(static_cast<int>(arguments.size()), arguments.data(), status);
}

}  // namespace

TEST_CASE("options: defaults, flags, environment and sizes") {
  CHECK(read({})->port == 7777);
  CHECK(read({})->statement_bytes_max == 16U << 20);
  CHECK(read({"--port", "0", "--threads", "3"})->threads == 3);
  CHECK(read({"--max-backlog-bytes", "2MiB"})->backlog_bytes_max == 2U << 20);
  CHECK(read({"--max-statement-bytes", "1024"})->statement_bytes_max == 1024);
  setenv("PUBSUBSQL_PORT", "1234", 1);
  CHECK(read({})->port == 1234);
  CHECK(read({"--port", "4321"})->port == 4321);
  unsetenv("PUBSUBSQL_PORT");
}

TEST_CASE("options: the server goes on without the usual HTTP port, but not without one that was asked for") {
  CHECK(read({})->http_port == 7778);
  CHECK_FALSE(read({})->http_port_is_given);
  CHECK(read({"--http-port", "7778"})->http_port_is_given);
  setenv("PUBSUBSQL_HTTP_PORT", "0", 1);
  CHECK(read({})->http_port == 0);
  CHECK(read({})->http_port_is_given);
  unsetenv("PUBSUBSQL_HTTP_PORT");
}

TEST_CASE("options: what makes no sense is refused") {
  CHECK_FALSE(read({"--port", "65536"}));
  CHECK_FALSE(read({"--port", "x"}));
  CHECK_FALSE(read({"--http-port", "65536"}));
  CHECK_FALSE(read({"--threads", "256"}));
  CHECK_FALSE(read({"--max-statement-bytes", "1GiB"}));
  CHECK_FALSE(read({"--log-level", "loud"}));
  CHECK_FALSE(read({"--no-such-flag"}));
}
