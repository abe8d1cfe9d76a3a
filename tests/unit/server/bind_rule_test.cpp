#include "server/bind_rule.hpp"

#include <doctest/doctest.h>

using namespace pubsubsql::server;

namespace {

std::string refused(const std::string& bind, bool users, bool insecure) {
  options o;
  o.bind = bind;
  if (users) o.users_file = "users";
  o.insecure_no_auth = insecure;
  const auto address = boost::asio::ip::make_address(bind);
  const bool warns = bind_warning(address, o).has_value();
  return bind_problem(address, o) ? "refused" : warns ? "warned" : "fine";
}

}  // namespace

TEST_CASE("bind: without users only this machine may connect, unless told otherwise") {
  for (const char* own : {"127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"}) {
    CHECK_MESSAGE(refused(own, false, false) == "fine", own);
    CHECK_MESSAGE(refused(own, true, false) == "fine", own);
  }
  for (const char* other : {"0.0.0.0", "10.0.0.1", "::", "::ffff:10.0.0.1"}) {
    CHECK_MESSAGE(refused(other, false, false) == "refused", other);
    CHECK_MESSAGE(refused(other, false, true) == "warned", other);
    CHECK_MESSAGE(refused(other, true, false) == "warned", other);
  }
}

TEST_CASE("bind: what TLS leaves to be warned about") {
  options o;
  o.bind = "10.0.0.1";
  o.users_file = "users";
  const auto address = boost::asio::ip::make_address(o.bind);
  CHECK(bind_warning(address, o)->find("give --tls-cert") != std::string::npos);
  o.tls.certificate_file = "cert";
  o.tls.key_file = "key";
  CHECK(bind_warning(address, o)->find("demand it with --tls-required") != std::string::npos);
  o.tls.required = true;
  CHECK_FALSE(bind_warning(address, o));
}
