#include "storage/durable/mysql_address.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "storage/hex_digit.hpp"

namespace pubsubsql::storage::durable {

namespace {

constexpr std::string_view url_prefix = "mysql://";
constexpr const char* forms = "write mysql://user:password@host:port/database or user:password@tcp(host:port)/database";

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), is_control);
}

std::optional<mysql_address::tls_mode> tls_mode_of(std::string_view word) {
  using enum mysql_address::tls_mode;
  // The second word of each is that of Go's driver.
  constexpr std::array<std::pair<std::string_view, mysql_address::tls_mode>, 6> words = {{
      {"off", off},
      {"false", off},
      {"require", require},
      {"skip-verify", require},
      {"verify", verify},
      {"true", verify},
  }};
  const auto found = std::find_if(words.begin(), words.end(), [&](const auto& w) { return w.first == word; });
  if (found == words.end()) return std::nullopt;
  return found->second;
}

/// Reads one address. After an error the rest is read on, but the first error stays.
///
/// No error quotes the address: when a character of the password is not escaped, any part of the address can be part
/// of the password.
class address_reader {
 public:
  result<mysql_address, std::string> read(std::string_view text) {
    if (text.starts_with(url_prefix)) {
      read_url(text.substr(url_prefix.size()));
    } else {
      read_go_form(text);
    }
    check();
    if (!error_.empty()) return error_;
    return std::move(address_);
  }

 private:
  void read_url(std::string_view text) {
    const std::size_t authority_end = std::min(text.find_first_of("/?"), text.size());
    std::string_view authority = text.substr(0, authority_end);
    // The last one: a password with a plain @ is not asked to be escaped.
    if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
      const std::string_view login = authority.substr(0, at);
      const std::size_t colon = std::min(login.find(':'), login.size());
      address_.user = decoded(login.substr(0, colon));
      if (colon < login.size()) address_.password = decoded(login.substr(colon + 1));
      authority.remove_prefix(at + 1);
    }
    read_host_and_port(authority);
    text.remove_prefix(authority_end);
    if (!text.starts_with('/')) return read_options(text);
    const std::size_t database_end = std::min(text.find('?'), text.size());
    const std::string_view database = text.substr(1, database_end - 1);
    if (database.find('/') != std::string_view::npos) fail("has more than a database's name after the host");
    address_.database = decoded(database);
    read_options(text.substr(database_end));
  }

  /// Nothing but the options is percent-encoded in this form.
  void read_go_form(std::string_view text) {
    constexpr std::string_view tcp = "@tcp(";
    constexpr std::string_view local = "@unix(";
    const std::size_t close = text.rfind(")/");
    if (close == std::string_view::npos) return fail(std::string("is of no known form: ") + forms);
    const std::string_view before = text.substr(0, close);
    const std::size_t tcp_at = before.rfind(tcp);
    const std::size_t local_at = before.rfind(local);
    const std::size_t at = tcp_at != std::string_view::npos ? tcp_at : local_at;
    if (at == std::string_view::npos) return fail(std::string("is of no known form: ") + forms);

    const std::string_view login = before.substr(0, at);
    const std::size_t colon = std::min(login.find(':'), login.size());
    address_.user = login.substr(0, colon);
    if (colon < login.size()) address_.password = login.substr(colon + 1);
    if (at == tcp_at) {
      read_host_and_port(before.substr(at + tcp.size()));
    } else {
      read_socket(before.substr(at + local.size()));
    }
    text.remove_prefix(close + 2);
    const std::size_t database_end = std::min(text.find('?'), text.size());
    address_.database = text.substr(0, database_end);
    read_options(text.substr(database_end));
  }

  void read_host_and_port(std::string_view text) {
    if (text.starts_with('[')) {
      const std::size_t close = std::min(text.find(']'), text.size());
      address_.host = text.substr(1, close - 1);
      const bool is_ipv6 = close < text.size() && address_.host.find(':') != std::string::npos &&
                           address_.host.find_first_not_of("0123456789abcdefABCDEF:.") == std::string::npos;
      if (!is_ipv6) fail("has no IPv6 address between the brackets");
      text.remove_prefix(std::min(close + 1, text.size()));
      if (!text.empty() && !text.starts_with(':')) fail("has something between the brackets and the port");
    } else {
      const std::size_t colon = std::min(text.find(':'), text.size());
      if (text.find(':', colon + 1) != std::string_view::npos) {
        fail("has a host with colons: write an IPv6 address in brackets, as in [::1]:3306");
      }
      if (colon > 0) address_.host = decoded(text.substr(0, colon));
      if (address_.host.find_first_of(" /:?#@[]()\"'\\") != std::string::npos) {
        fail("has a character in the host that no host has");
      }
      text.remove_prefix(colon);
    }
    if (!text.empty()) read_port(text.substr(1));
  }

  void read_port(std::string_view text) {
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, address_.port);
    if (error != std::errc() || stop != end || address_.port == 0) fail("has a port that is not from 1 to 65535");
  }

  void read_socket(std::string_view path) {
    if (!path.starts_with('/')) fail("has a socket that is not a path from the root, as in /run/mysqld/mysqld.sock");
    address_.socket = path;
  }

  /// `text` is empty or begins with `?`.
  void read_options(std::string_view text) {
    while (!text.empty()) {
      text.remove_prefix(1);
      const std::size_t end = std::min(text.find('&'), text.size());
      if (end > 0) read_option(text.substr(0, end));
      text.remove_prefix(end);
    }
  }

  void read_option(std::string_view text) {
    const std::size_t equals = std::min(text.find('='), text.size());
    const std::string_view name = text.substr(0, equals);
    std::string setting = decoded(text.substr(std::min(equals + 1, text.size())));
    if (name == "socket") {
      read_socket(setting);
    } else if (name == "ca") {
      if (setting.empty()) fail("has the option ca without a file");
      address_.ca_path = std::move(setting);
    } else if (name == "tls") {
      const auto mode = tls_mode_of(setting);
      if (!mode) return fail("has an unknown value for tls: it can be off, require or verify");
      address_.tls = *mode;
    } else {
      fail("has an unknown option: there are socket, tls and ca");
    }
  }

  void check() {
    if (address_.user.empty()) fail(std::string("names no user: ") + forms);
    if (address_.database.empty()) fail(std::string("names no database: ") + forms);
    // They would end in log lines, and the connector cuts what it is given at a zero byte.
    if (has_control(address_.user) || has_control(address_.host) || has_control(address_.socket) ||
        has_control(address_.database) || has_control(address_.ca_path)) {
      fail("contains control characters");
    }
    if (address_.password.find('\0') != std::string::npos) fail("has a zero byte in the password");
    if (!address_.ca_path.empty() && address_.tls != mysql_address::tls_mode::verify) {
      fail("has a ca that is not used: add tls=verify");
    }
  }

  std::string decoded(std::string_view text) {
    std::string out;
    while (!text.empty()) {
      std::size_t taken = 1;
      if (text.front() != '%') {
        out += text.front();
      } else {
        const auto high = text.size() > 1 ? hex_digit(text[1]) : std::nullopt;
        const auto low = text.size() > 2 ? hex_digit(text[2]) : std::nullopt;
        if (!high || !low) {
          fail("has a % without two hexadecimal digits: write a plain % as %25");
          return out;
        }
        out += static_cast<char>(static_cast<unsigned char>(*high * 16 + *low));
        taken = 3;
      }
      text.remove_prefix(taken);
    }
    return out;
  }

  void fail(const std::string& what) {
    if (error_.empty()) error_ = "the MySQL address " + what;
  }

  mysql_address address_;
  std::string error_;
};

}  // namespace

std::string mysql_address::shown() const {
  if (!socket.empty()) return user + '@' + socket + '/' + database;
  const bool is_ipv6 = host.find(':') != std::string::npos;
  const std::string where = is_ipv6 ? '[' + host + ']' : host;
  return user + '@' + where + ':' + std::to_string(port) + '/' + database;
}

result<mysql_address, std::string> parse_mysql_address(std::string_view text) {
  return address_reader().read(text);
}

}  // namespace pubsubsql::storage::durable
