#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "parser/parser.hpp"
#include "server/client_request.hpp"
#include "server/session_identity.hpp"
#include "server/worker_message.hpp"
#include "storage/access/user_rights.hpp"

namespace pubsubsql::server {

class access_control;
class session;
class worker;

/// Lets statements of one worker's sessions in, or refuses them: where there are users, each takes authentication and
/// rights. Answers the statements about users. Used by its worker's thread only.
class access_gate {
 public:
  /// Failed attempts after which a connection is closed.
  static constexpr unsigned failures_max = 5;

  /// The worker outlives the gate.
  explicit access_gate(worker& w) : worker_(w) {}

  /// Whether the statement may be run; if not, the client has been told. To be asked where there are users.
  [[nodiscard]] bool admits(const client_request& a, const parser::statement& s);

  /// Why somebody with these rights may not run the statement; nothing: he may.
  [[nodiscard]] static std::optional<storage::error> denial_of(const parser::statement& s,
                                                               const access::user_rights& user);

  /// Tells why a statement cannot be read, unless the client may not know or it holds a password.
  void refuse_unread(const client_request& a, const parser::syntax_error& e) const;

  /// Whether run() answers it: auth, and statements about users and rights.
  [[nodiscard]] static bool answers(const parser::statement_body& body);
  void run(const client_request& a, const parser::statement& s);

  void on(auth_done& m);
  /// Brings a session's rights up to date, and ends it when it has what its user may not have any more.
  void recheck(session& s);

 private:
  /// Statements that have been found to be allowed, by their form and the user's rights.
  struct known_decision {
    std::uint64_t form = 0;
    std::uint64_t rights = 0;
  };

  [[nodiscard]] access_control* control() const;
  [[nodiscard]] bool has_rights(const client_request& a, const parser::statement& s);
  void authenticate(const client_request& a, const parser::auth_statement& s);
  [[nodiscard]] bool accept_token(const client_request& a, const parser::auth_statement& s);
  void verify(const reply_route& to, std::string user, std::string password);
  static void become(session& from, session_identity who);
  void reject(session& from, const auth_done& m, std::string& reply) const;
  static void note_subscription(session& from, std::string_view table);
  void show_users(const client_request& a) const;
  void show_grants(const client_request& a, std::string_view user) const;
  void change(const client_request& a, const parser::statement& s);

  worker& worker_;
  std::array<known_decision, 256> known_{};
};

}  // namespace pubsubsql::server
