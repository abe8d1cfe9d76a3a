#include "server/access_control.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <utility>

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include "parser/parser.hpp"
#include "server/reply_encoder.hpp"
#include "server/shared_state.hpp"
#include "server/subscriber.hpp"
#include "server/worker.hpp"
#include "storage/access/password.hpp"

namespace pubsubsql::server {

namespace {

std::string_view action_of(const parser::statement_body& body) {
  if (const auto* s = std::get_if<parser::create_user_statement>(&body)) return s->replaces ? "alter" : "create";
  if (std::holds_alternative<parser::drop_user_statement>(body)) return "drop";
  return std::holds_alternative<parser::grant_statement>(body) ? "grant" : "revoke";
}

}  // namespace

access_control::access_control(shared_state& shared) : shared_(shared) {}

access_control::~access_control() {
  stop();
}

std::optional<std::string> access_control::open(const std::string& path) {
  path_ = path;
  auto read = access::read_users(path);
  if (!read) return read.error();
  const auto hash = access::hash_password("nobody");
  if (!hash) return "there is not the memory that verifying passwords takes, which is 64 MiB";
  nobody_ = *hash;
  install(std::move(*read));
  spdlog::info("{} users of {}", users_.list.users().size(), path);
  thread_ = std::thread([this] { run(); });
  return std::nullopt;
}

void access_control::stop() {
  {
    const std::scoped_lock lock(jobs_mutex_);
    stopped_ = true;
    changes_.clear();
    passwords_.clear();
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

access::shared_rights access_control::find(std::string_view user) const {
  const std::scoped_lock lock(users_mutex_);
  const auto it = rights_.find(user);
  return it == rights_.end() ? nullptr : it->second;
}

std::vector<access::shared_rights> access_control::users() const {
  const std::scoped_lock lock(users_mutex_);
  std::vector<access::shared_rights> out;
  for (const auto& [name, rights] : rights_) out.push_back(rights);
  return out;
}

std::optional<session_identity> access_control::identify(const access::user_rights& verified) const {
  // Before the look at the users: what changes behind it is noticed at the client's next statement.
  const std::uint64_t seen = version();
  access::shared_rights now = find(verified.name());
  if (now == nullptr || now->identity() != verified.identity()) return std::nullopt;
  return session_identity{.user = std::move(now), .version = seen, .subscribed_to = {}};
}

std::optional<session_identity> access_control::identify_token(std::string_view secret,
                                                               std::optional<std::string_view> user) const {
  const std::uint64_t seen = version();
  const std::scoped_lock lock(users_mutex_);
  const auto owner = tokens_.find(secret, now_s());
  if (!owner || (user && *user != owner->user)) return std::nullopt;
  const auto rights = rights_.find(owner->user);
  if (rights == rights_.end()) return std::nullopt;
  return session_identity{.user = rights->second, .version = seen, .token = owner->number, .subscribed_to = {}};
}

bool access_control::has_token(std::uint64_t number) const {
  const std::scoped_lock lock(users_mutex_);
  return tokens_.has(number, now_s());
}

std::int64_t access_control::now_s() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

// The thread

/// Has `add` put something into a queue, and the thread see to it. False: it did not, or the thread has ended.
template <typename Add>
bool access_control::enqueue(Add add) {
  {
    const std::scoped_lock lock(jobs_mutex_);
    if (stopped_ || !add()) return false;
  }
  changed_.notify_one();
  return true;
}

bool access_control::enqueue_password(std::string_view host, job j) {
  return enqueue([&] { return passwords_.push(host, std::move(j)); });
}

/// REQUIRES: the lock is held.
access_control::job access_control::take_job() {
  if (std::exchange(reload_is_due_, false)) return [this] { reload_now(); };
  job next;
  if (!changes_.empty()) {
    next = std::move(changes_.front());
    changes_.pop_front();
  } else if (auto password = passwords_.take()) {
    next = std::move(*password);
  }
  return next;
}

void access_control::run() {
  for (;;) {
    job next;
    {
      std::unique_lock lock(jobs_mutex_);
      const auto is_due = [this] { return stopped_ || reload_is_due_ || !changes_.empty() || !passwords_.empty(); };
      if (!next_expiry_s_) {
        changed_.wait(lock, is_due);
      } else {
        changed_.wait_until(lock, std::chrono::system_clock::time_point(std::chrono::seconds(*next_expiry_s_)), is_due);
      }
      if (stopped_) return;
      next = take_job();
    }
    if (next) next();
    expire_tokens();
  }
}

void access_control::send(unsigned worker, worker_message message) {
  std::vector<worker_message> messages;
  messages.push_back(std::move(message));
  shared_.workers[worker]->receive(messages);
}

// Authentication

bool access_control::authenticate(const reply_route& to, std::string_view host, std::string user,
                                  std::string password) {
  return enqueue_password(host, [this, to, user = std::move(user), password = std::move(password)]() mutable {
    access::shared_rights accepted = verify_now(user, password);
    send(subscriber::of(to.session).worker,
         auth_done{.to = to, .user = std::move(user), .accepted = std::move(accepted)});
  });
}

bool access_control::authenticate(unsigned worker, std::string_view host, std::string user, std::string password,
                                  std::function<void(access::shared_rights accepted)> done) {
  return enqueue_password(
      host, [this, worker, user = std::move(user), password = std::move(password), done = std::move(done)]() mutable {
        boost::asio::post(shared_.workers[worker]->context(),
                          [done = std::move(done), accepted = verify_now(user, password)] { done(accepted); });
      });
}

/// An unknown user takes as long as a wrong password, so that nobody learns which users there are.
access::shared_rights access_control::verify_now(const std::string& user, std::string& password) const {
  std::string hash = nobody_;
  access::shared_rights known;
  {
    const std::scoped_lock lock(users_mutex_);
    if (const auto it = hashes_.find(user); it != hashes_.end()) {
      hash = it->second;
      known = rights_.at(user);
    }
  }
  if (!access::verify_password(hash, password)) known = nullptr;
  access::wipe(password);
  return known;
}

// Changes

bool access_control::change(const reply_route& to, std::string_view sql) {
  return enqueue([&] {
    if (changes_.size() >= changes_max) return false;
    changes_.emplace_back([this, to, text = std::string(sql)]() mutable {
      change_now(to, text);
      access::wipe(text);
    });
    return true;
  });
}

void access_control::change_now(const reply_route& to, const std::string& sql) {
  parser::statement_arena arena;
  auto parsed = parser::parse(sql, arena);
  statement_done done{.route = to, .count = 1, .bytes = {}};
  const std::string_view action = action_of(parsed->body);
  const unsigned home = subscriber::of(to.session).worker;
  if (const auto wrong = try_change(*parsed)) {
    encode_error(done.bytes, to.address, *wrong);
    return send(home, std::move(done));
  }
  encode_facts(done.bytes, to.address, action, {}, {});
  tell_workers(home, std::move(done));
}

std::optional<std::string> access_control::try_change(parser::statement& s) {
  if (access::stamp_of(path_) != users_.stamp) {
    return path_ + " has been changed since the server read it; send the server SIGHUP, then try again";
  }
  std::optional<std::string> hash;
  if (auto* made = std::get_if<parser::create_user_statement>(&s.body); made != nullptr && !made->is_hash) {
    if (auto wrong = access::password_problem(made->secret)) return wrong;
    hash = access::hash_password(made->secret);
    if (!hash) return "there is not the memory that hashing a password takes, which is 64 MiB; try again later";
    made->secret = *hash;
    made->is_hash = true;
  }
  access::user_list changed = users_.list;
  if (auto wrong = changed.apply(s)) return wrong;
  auto written = access::write_users(path_, changed);
  if (!written) return written.error() + "; nothing was changed";
  install({.list = std::move(changed), .stamp = *written});
  return std::nullopt;
}

void access_control::reload() {
  enqueue([this] { return reload_is_due_ = true; });
}

void access_control::reload_now() {
  auto read = access::read_users(path_);
  if (!read) return spdlog::error("users stay as they were: {}", read.error());
  read->list.keep_identities_of(users_.list);
  install(std::move(*read));
  tell_workers();
  spdlog::info("{} users of {}", users_.list.users().size(), path_);
}

/// A user who has the same grants as before keeps the same rights.
void access_control::install(access::stored_users users) {
  const bool are_credentials_as_before =
      std::ranges::equal(users_.list.users(), users.list.users(), access::have_same_credentials);
  users_ = std::move(users);
  decltype(rights_) rights;
  decltype(hashes_) hashes;
  for (const access::user_list::user& u : users_.list.users()) {
    std::vector<std::string> grants = access::grants_of(u);
    access::shared_rights kept = find(u.name);
    if (kept == nullptr || kept->identity() != u.identity || kept->grants() != grants) {
      kept = std::make_shared<const access::user_rights>(u.name, std::move(grants), u.identity);
    }
    rights.emplace(u.name, std::move(kept));
    hashes.emplace(u.name, u.hash);
  }
  if (std::ranges::none_of(rights, [](const auto& r) { return r.second->is_admin(); })) {
    spdlog::warn("no user has the right admin; only who can write {} can change users and rights", path_);
  }
  access::token_index tokens(users_.list, now_s());
  next_expiry_s_ = tokens.next_expiry();
  {
    const std::scoped_lock lock(users_mutex_);
    rights_.swap(rights);
    hashes_.swap(hashes);
    std::swap(tokens_, tokens);
    if (!are_credentials_as_before) credentials_version_.fetch_add(1, std::memory_order_release);
    version_.fetch_add(1, std::memory_order_release);
  }
}

void access_control::expire_tokens() {
  const std::int64_t now = now_s();
  if (!next_expiry_s_ || now < *next_expiry_s_) return;
  access::token_index tokens(users_.list, now);
  next_expiry_s_ = tokens.next_expiry();
  {
    const std::scoped_lock lock(users_mutex_);
    std::swap(tokens_, tokens);
    credentials_version_.fetch_add(1, std::memory_order_release);
    version_.fetch_add(1, std::memory_order_release);
  }
  spdlog::info("tokens have expired; connections that used them end");
  tell_workers();
}

void access_control::tell_workers() {
  for (unsigned worker = 0; worker < shared_.workers.size(); ++worker) send(worker, rights_changed{});
}

/// Who has made the change is answered when all others know of it, but before what it means for himself.
void access_control::tell_workers(unsigned home, worker_message reply) {
  for (unsigned worker = 0; worker < shared_.workers.size(); ++worker) {
    if (worker != home) send(worker, rights_changed{});
  }
  std::vector<worker_message> messages;
  messages.push_back(std::move(reply));
  messages.emplace_back(rights_changed{});
  shared_.workers[home]->receive(messages);
}

}  // namespace pubsubsql::server
