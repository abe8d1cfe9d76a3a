#include "server/http/access.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string_view>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/steady_timer.hpp>
#include <sodium.h>
#include <spdlog/spdlog.h>

#include "parser/keywords.hpp"
#include "server/access_control.hpp"
#include "server/http/connection.hpp"
#include "server/http/origin_rules.hpp"
#include "server/http/routes.hpp"
#include "server/log_text.hpp"
#include "server/worker.hpp"
#include "storage/access/password.hpp"

namespace pubsubsql::server::http {

namespace {

using boost::system::error_code;

/// Who says to be whom.
struct credentials {
  std::string user;  ///< empty: whoever the token is for
  std::string secret;
};

/// What is behind the scheme; nothing: it is another one.
std::optional<std::string_view> behind(std::string_view scheme, std::string_view value) {
  if (value.size() <= scheme.size() || value[scheme.size()] != ' ') return std::nullopt;
  if (!parser::equals_keyword(value.substr(0, scheme.size()), scheme)) return std::nullopt;
  value.remove_prefix(std::min(value.find_first_not_of(' ', scheme.size()), value.size()));
  return value;
}

std::optional<credentials> decode_basic(std::string_view encoded) {
  std::string text(encoded.size(), '\0');
  std::size_t bytes = 0;
  const char* end = nullptr;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(text.data()), text.size(), encoded.data(), encoded.size(),
                        nullptr, &bytes, &end, sodium_base64_VARIANT_ORIGINAL) != 0 ||
      end != encoded.data() + encoded.size()) {
    return std::nullopt;
  }
  text.resize(bytes);
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  credentials out{.user = text.substr(0, colon), .secret = text.substr(colon + 1)};
  access::wipe(text);
  return out;
}

std::optional<credentials> credentials_of(std::string_view value) {
  if (const auto token = behind("bearer", value)) return credentials{.user = {}, .secret = std::string(*token)};
  if (const auto encoded = behind("basic", value)) return decode_basic(*encoded);
  return std::nullopt;
}

response unauthorized(std::string_view message) {
  response r = make_error(status::unauthorized, message);
  r.set(field::www_authenticate, "Basic realm=\"pubsubsql\", Bearer");
  return r;
}

response busy(status s, std::string_view message, std::chrono::seconds retry_after) {
  response r = make_error(s, message);
  r.set(field::retry_after, std::to_string(retry_after.count()));
  return r;
}

/// One request's authentication, which may have to wait for its turn and for the thread that verifies.
class authentication : public std::enable_shared_from_this<authentication> {
 public:
  authentication(connection& c, access_control& control, std::function<void()> go_on)
      : connection_(c.shared_from_this()),
        control_(control),
        go_on_(std::move(go_on)),
        host_(auth_throttle::host_of(c.address())),
        version_(control.credentials_version()) {}

  void run(std::string_view value) {
    value_ = access::hash_token(value);
    const known_credentials& known = connection_->known;
    if (known.who.user != nullptr && known.version == version_ && access::are_equal(known.value, value_)) {
      connection_->identity = known.who;
      return go_on_();
    }
    auto said = credentials_of(value);
    if (!said) {
      return connection_->respond(
          unauthorized("the field Authorization is to be Basic, with a user and a password, or Bearer, with a token"));
    }
    said_ = std::move(*said);
    if (accept_token()) return;
    await_turn();
  }

 private:
  /// As on a connection of SQL: a token is looked at without a wait.
  bool accept_token() {
    if (!access::is_token(said_.secret)) return false;
    const auto user = said_.user.empty() ? std::nullopt : std::optional<std::string_view>(said_.user);
    auto who = control_.identify_token(said_.secret, user);
    if (!who) return false;
    accept(std::move(*who));
    return true;
  }

  void await_turn() {
    const auto wait = control_.throttle().begin(host_, auth_throttle::clock::now());
    if (!wait) {
      return connection_->respond(busy(
          status::too_many_requests, "too many attempts of this address have failed, and others wait; try again later",
          std::chrono::duration_cast<std::chrono::seconds>(auth_throttle::wait_max)));
    }
    if (*wait == auth_throttle::clock::duration::zero()) return verify();
    const auto timer = std::make_shared<boost::asio::steady_timer>(connection_->home().context(), *wait);
    timer->async_wait([self = shared_from_this(), timer](const error_code& cancelled) {
      if (!cancelled) self->verify();
    });
  }

  void verify() {
    if (said_.user.empty() || access::is_token(said_.secret)) return reject();
    // Cut, so that what waits is small: nobody has a name or a password as long.
    std::string user = said_.user.substr(0, access::user_name_bytes_max + 1);
    std::string password = said_.secret.substr(0, access::password_bytes_max + 1);
    access::wipe(said_.secret);
    const auto done = [self = shared_from_this()](const access::shared_rights& accepted) {
      auto who = accepted != nullptr ? self->control_.identify(*accepted) : std::nullopt;
      return who ? self->accept(std::move(*who)) : self->reject();
    };
    if (control_.authenticate(connection_->home().index(), host_, std::move(user), std::move(password), done)) return;
    connection_->respond(busy(status::service_unavailable, "too many are being authenticated; try again later",
                              std::chrono::seconds(1)));
  }

  void accept(session_identity who) {
    spdlog::debug("connection {} is of user '{}'", connection_->address(), log_text(who.user->name()));
    connection_->identity = std::move(who);
    connection_->known = {.version = version_, .value = value_, .who = connection_->identity};
    go_on_();
  }

  void reject() {
    const auto wait = control_.throttle().failed(host_, auth_throttle::clock::now());
    const std::string user = said_.user.empty() ? "whoever has its token" : "user '" + log_text(said_.user) + "'";
    spdlog::warn("refused to authenticate {} as {}; the next attempt of its address waits {} ms",
                 connection_->address(), user, wait.count());
    connection_->respond(
        unauthorized("Access denied for " + user +
                     ": there is no such user, or it has another password or token; the next attempt waits " +
                     std::to_string(wait.count()) + " ms"));
  }

  std::shared_ptr<connection> connection_;
  access_control& control_;
  std::function<void()> go_on_;
  std::string host_;
  std::uint64_t version_;  // of the credentials, before they are looked at
  access::token_hash value_{};
  credentials said_;
};

/// Whether only this machine's own programs are served, and all of them may do everything.
bool is_local_and_open(const shared_state& shared) {
  if (shared.access != nullptr) return false;
  error_code problem;
  const auto address = boost::asio::ip::make_address(shared.settings.bind, problem);
  return !problem && address.is_loopback();
}

/// The page's origin, if it is another one than the server's.
std::string_view foreign_origin(connection& c) {
  const std::string_view origin = field_of(c.current(), field::origin);
  return is_own_origin(origin, field_of(c.current(), field::host)) ? std::string_view() : origin;
}

/// Whether a page of another origin is behind a request without an Origin, such as for an image: browsers tell by
/// Sec-Fetch-Site. A link to the console may be anywhere.
bool is_strange_fetch(connection& c) {
  const std::string_view site = field_of(c.current(), "Sec-Fetch-Site");
  return (site == "cross-site" || site == "same-site") && path_of(c.current()) != "/";
}

}  // namespace

std::optional<response> refuse_source(connection& c) {
  const shared_state& shared = c.home().shared();
  const std::string_view host = field_of(c.current(), field::host);
  if (!host.empty() && is_local_and_open(shared) && !is_fixed_host(host) &&
      !is_listed(shared.settings.http_allow_host, host_name(host))) {
    return make_error(status::forbidden, "the host '" + log_text(host) +
                                             "' is none of this server; use localhost or an address, or add it to "
                                             "--http-allow-host");
  }
  const std::string_view origin = foreign_origin(c);
  if (origin.empty() && is_strange_fetch(c) && !is_listed(shared.settings.http_allow_origin, "*")) {
    return make_error(status::forbidden, "pages of other origins may not use this server");
  }
  if (origin.empty() || is_listed(shared.settings.http_allow_origin, origin)) return std::nullopt;
  return make_error(status::forbidden, "pages of the origin '" + log_text(origin) +
                                           "' may not use this server; add it to --http-allow-origin if they are to");
}

void add_cors(connection& c, response& r) {
  if (!c.home().shared().settings.http_allow_origin.empty()) r.insert(field::vary, "Origin");
  const std::string_view origin = foreign_origin(c);
  if (origin.empty() || !is_listed(c.home().shared().settings.http_allow_origin, origin)) return;
  r.set(field::access_control_allow_origin, boost::beast::string_view(origin.data(), origin.size()));
  r.set(field::access_control_expose_headers, "WWW-Authenticate, Retry-After");
}

std::string cors_lines(connection& c) {
  const std::string_view origin = foreign_origin(c);
  if (origin.empty()) return {};
  return "Vary: Origin\r\nAccess-Control-Allow-Origin: " + std::string(origin) + "\r\n";
}

response allowed_methods(connection& c) {
  const std::string methods = methods_of(path_of(c.current()));
  response r(status::no_content, 11);
  r.set(field::allow, methods);
  r.set(field::access_control_allow_methods, methods);
  r.set(field::access_control_allow_headers, "Authorization, Content-Type, Last-Event-ID");
  r.set(field::access_control_max_age, "600");
  return r;
}

void authenticate(connection& c, bool is_needed, std::function<void()> go_on) {
  access_control* const control = c.home().shared().access;
  if (control == nullptr) return go_on();
  if (c.current().count(field::authorization) > 1) {
    return c.respond(make_error(status::bad_request, "a request has one field Authorization; leave one out"));
  }
  const std::string_view value = field_of(c.current(), field::authorization);
  if (!value.empty()) return std::make_shared<authentication>(c, *control, std::move(go_on))->run(value);
  if (!is_needed) return go_on();
  c.respond(
      unauthorized("this server has users; send the field Authorization, with a user and a password (Basic) or "
                   "with a token (Bearer)"));
}

}  // namespace pubsubsql::server::http
