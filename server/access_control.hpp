#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "server/auth_throttle.hpp"
#include "server/fair_queue.hpp"
#include "server/session_identity.hpp"
#include "server/worker_message.hpp"
#include "storage/access/token_index.hpp"
#include "storage/access/user_list.hpp"
#include "storage/access/user_rights.hpp"
#include "storage/access/users_file.hpp"

namespace pubsubsql::server {

struct shared_state;

/// The users of a server that has any. What takes long (a password is hashed for 50 to 100 ms, in 64 MiB) is done on a
/// thread of its own, one thing after the other, and answered from there, so that no worker waits.
///
/// Workers see what changes at their next statement: version() is another one then. They are also told, so that they
/// end what is not allowed any more.
class access_control {
 public:
  /// What may wait for the thread; more is refused, to be tried again: changes, which come first, and passwords, which
  /// addresses take turns with.
  static constexpr std::size_t changes_max = 64;
  static constexpr std::size_t passwords_max = 1'024;
  static constexpr std::size_t passwords_per_address_max = 64;

  /// The state outlives this.
  explicit access_control(shared_state& shared);
  ~access_control();
  access_control(const access_control&) = delete;
  access_control& operator=(const access_control&) = delete;

  /// Reads the users and starts the thread. Returns what is wrong, if anything. Before the workers run.
  [[nodiscard]] std::optional<std::string> open(const std::string& path);

  /// Ends the thread; what waits is dropped. After the workers have ended.
  void stop();

  // From any thread

  /// Another number after each change of users or rights.
  [[nodiscard]] std::uint64_t version() const { return version_.load(std::memory_order_acquire); }
  /// The same, but of users, their passwords and tokens only.
  [[nodiscard]] std::uint64_t credentials_version() const {
    return credentials_version_.load(std::memory_order_acquire);
  }
  /// A user's rights as they are now; nullptr: there is no such user.
  [[nodiscard]] access::shared_rights find(std::string_view user) const;
  /// All users, by name.
  [[nodiscard]] std::vector<access::shared_rights> users() const;
  [[nodiscard]] auth_throttle& throttle() { return throttle_; }
  /// Who a client is whose password was right when its user was `verified`; nothing: there is no such user any more.
  [[nodiscard]] std::optional<session_identity> identify(const access::user_rights& verified) const;
  /// Who a client is that shows a token, of that user (nothing: of any); nothing: it is none that is good.
  [[nodiscard]] std::optional<session_identity> identify_token(std::string_view secret,
                                                               std::optional<std::string_view> user) const;
  /// Whether the token of that number is still good.
  [[nodiscard]] bool has_token(std::uint64_t number) const;

  /// Has a password verified; answered with auth_done. `host`: auth_throttle::host_of() the client. False: too much
  /// waits.
  [[nodiscard]] bool authenticate(const reply_route& to, std::string_view host, std::string user, std::string password);
  /// The same; `done` is called on that worker's thread, unless the server stops before, with the user as it was when
  /// the password was verified; nullptr: refused.
  [[nodiscard]] bool authenticate(unsigned worker, std::string_view host, std::string user, std::string password,
                                  std::function<void(access::shared_rights accepted)> done);
  /// Runs a statement that changes users or rights, whoever it is from; answered with its reply. False: too much waits.
  [[nodiscard]] bool change(const reply_route& to, std::string_view sql);
  /// Reads the file again, soon. When it cannot be read, everything stays as it is, and the log says why.
  void reload();

 private:
  using job = std::function<void()>;

  void run();
  template <typename Add>
  bool enqueue(Add add);
  [[nodiscard]] bool enqueue_password(std::string_view host, job j);
  [[nodiscard]] job take_job();
  [[nodiscard]] access::shared_rights verify_now(const std::string& user, std::string& password) const;
  void expire_tokens();
  [[nodiscard]] static std::int64_t now_s();
  void change_now(const reply_route& to, const std::string& sql);
  [[nodiscard]] std::optional<std::string> try_change(parser::statement& s);
  void reload_now();
  void install(access::stored_users users);
  void tell_workers();
  void tell_workers(unsigned home, worker_message reply);
  void send(unsigned worker, worker_message message);

  shared_state& shared_;
  std::string path_;
  auth_throttle throttle_;
  std::atomic<std::uint64_t> version_{0};
  std::atomic<std::uint64_t> credentials_version_{0};

  mutable std::mutex users_mutex_;
  std::map<std::string, access::shared_rights, std::less<>> rights_;  // guarded by users_mutex_
  std::map<std::string, std::string, std::less<>> hashes_;            // guarded by users_mutex_
  access::token_index tokens_;                                        // guarded by users_mutex_

  std::mutex jobs_mutex_;
  std::condition_variable changed_;
  // Guarded by jobs_mutex_
  std::deque<job> changes_;
  fair_queue<job> passwords_{passwords_per_address_max, passwords_max};
  bool reload_is_due_ = false;
  bool stopped_ = false;

  // Only used by the thread, and before it starts
  std::optional<std::int64_t> next_expiry_s_;  // of a token
  access::stored_users users_;
  std::string nobody_;  // the hash that passwords of unknown users are compared with
  std::thread thread_;
};

}  // namespace pubsubsql::server
