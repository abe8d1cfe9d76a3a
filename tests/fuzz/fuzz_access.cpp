#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <sodium.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "parser/frame.hpp"
#include "parser/parser.hpp"
#include "server/access_control.hpp"
#include "server/server.hpp"
#include "storage/durable/store_switch.hpp"
#include "tests/unit/scratch_directory.hpp"

using namespace pubsubsql;

namespace {

/// An answer that takes longer is none.
constexpr timeval reply_deadline{.tv_sec = 60, .tv_usec = 0};

// What rows have that the stranger may see at times, and never.
constexpr std::string_view visible = "5e1c-visible";
constexpr std::string_view hidden = "5e1c-hidden";

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

void require(bool holds) {
  if (!holds) std::abort();
}

/// A hash that is verified in no time.
std::string weak_hash(std::string_view password) {
  require(sodium_init() >= 0);
  char out[crypto_pwhash_STRBYTES];
  require(crypto_pwhash_str(out, password.data(), password.size(), crypto_pwhash_OPSLIMIT_MIN,
                            crypto_pwhash_MEMLIMIT_MIN) == 0);
  return out;
}

/// The real server with users, on a port of this machine.
class guarded_server {
 public:
  guarded_server() {
    spdlog::set_level(spdlog::level::off);
    const std::string users = folder_.path() + "/users";
    std::ofstream(users) << creation_of("root") << "\ngrant admin to root\ngrant all on * to root\n";
    require(::chmod(users.c_str(), S_IRUSR | S_IWUSR) == 0);
    options_.users_file = users;
    options_.port = 0;
    options_.threads = 2;
    options_.engine.statement_steps_max = 100'000;
    options_.engine.statement_memory_max = 1U << 20;
    server_ = std::make_unique<server::server>(options_, no_store_);
    access_ = std::make_unique<server::access_control>(server_->shared());
    require(!access_->open(users));
    server_->shared().access = access_.get();
    require(!server_->listen());
    thread_ = std::thread([this] { server_->run(); });
  }
  ~guarded_server() {
    server_->stop();
    thread_.join();
    access_->stop();
  }
  guarded_server(const guarded_server&) = delete;
  guarded_server& operator=(const guarded_server&) = delete;

  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
  [[nodiscard]] static std::string creation_of(const std::string& user) {
    return "create user " + user + " identified by password '" + weak_hash(user + "-secret") + "'";
  }

 private:
  test::scratch_directory folder_;
  storage::durable::store_switch no_store_;
  server::options options_;
  std::unique_ptr<server::server> server_;
  std::unique_ptr<server::access_control> access_;
  std::thread thread_;
};

/// A framed connection, each from an address of its own: the failures of one do not slow down the others.
class client {
 public:
  explicit client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    static std::uint32_t clients = 0;
    constexpr std::uint32_t addresses = 0xff'0000;
    const sockaddr_in from = address_of(INADDR_LOOPBACK + ++clients % addresses);
    const sockaddr_in to = address_of(INADDR_LOOPBACK, port);
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &reply_deadline, sizeof reply_deadline);
    require(::bind(fd_, reinterpret_cast<const sockaddr*>(&from), sizeof from) == 0);
    require(::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
  }
  ~client() { ::close(fd_); }
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  /// Sends a statement, and one behind it that is always answered. Returns all that came up to that answer.
  std::string ask(std::string_view statement) {
    send(statement);
    send("select current_user() as me");
    std::string all;
    while (!is_closed_ && last_reply_ != last_sent_) all += read_message();
    return all;
  }

  [[nodiscard]] bool is_closed() const { return is_closed_; }
  /// The answer to the statement that is always answered.
  [[nodiscard]] const std::string& me() const { return last_message_; }

 private:
  static sockaddr_in address_of(std::uint32_t host, std::uint16_t port = 0) {
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_port = htons(port);
    a.sin_addr.s_addr = htonl(host);
    return a;
  }

  void send(std::string_view statement) {
    const auto header =
        parser::encode({.payload_bytes = static_cast<std::uint32_t>(statement.size()), .request_id = ++last_sent_});
    std::string bytes(header.data(), header.size());
    bytes += statement;
    if (::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) is_closed_ = true;
  }

  std::string read_message() {
    const std::string header = read(parser::frame_header_bytes);
    if (is_closed_) return {};
    const parser::frame_header h = parser::decode_frame_header(header);
    std::string message = read(h.payload_bytes);
    if (is_closed_) return {};
    require(nlohmann::json::accept(message));
    if (h.request_id != 0) {
      require(h.request_id >= last_reply_ && h.request_id <= last_sent_);
      last_reply_ = h.request_id;
      last_message_ = message;
    }
    return message + "\n";
  }

  std::string read(std::size_t bytes) {
    std::string out(bytes, '\0');
    for (std::size_t have = 0; have < bytes && !is_closed_;) {
      const ssize_t got = ::recv(fd_, out.data() + have, bytes - have, 0);
      if (got < 0 && errno == EINTR) continue;
      require(got >= 0 || errno == ECONNRESET);  // otherwise the server hangs
      if (got <= 0) is_closed_ = true;
      if (got > 0) have += static_cast<std::size_t>(got);
    }
    return out;
  }

  int fd_;
  bool is_closed_ = false;
  std::uint32_t last_sent_ = 0;
  std::uint32_t last_reply_ = 0;
  std::string last_message_;
};

/// A stranger who may become the user web, and an administrator who makes, drops and changes that user meanwhile. Each
/// line of the input is a step; what the stranger may know follows from the steps.
class scenario {
 public:
  explicit scenario(const guarded_server& s) : server_(s), admin_(s.port()) {
    administer("auth root root-secret");
    administer("drop user web");
    create_user();
    administer("drop table if exists t");
    administer("drop table if exists u");
    administer(insertion_of("t", visible));
    administer(insertion_of("u", hidden));
  }

  void run(std::string_view steps) {
    while (!steps.empty()) {
      const std::string_view step = steps.substr(0, steps.find('\n'));
      steps.remove_prefix(std::min(steps.size(), step.size() + 1));
      take(step);
    }
  }

 private:
  void take(std::string_view step) {
    const bool could_see = granted_;
    if (step == "GRANT") {
      administer("grant select, subscribe on t to web");
      granted_ = exists_;
    } else if (step == "REVOKE") {
      administer("revoke select, subscribe on t from web");
      granted_ = false;
    } else if (step == "DROP") {
      administer("drop user web");
      exists_ = granted_ = is_web_ = false;
    } else if (step == "CREATE") {
      if (!exists_) create_user();
    } else if (step == "INSERT") {
      administer(insertion_of("t", visible));
    } else if (step == "CONNECT") {
      forget();
    } else if (is_within_bounds(step)) {
      return say(step, could_see);
    }
    say("", could_see || granted_);
  }

  /// Leaves out what takes long or what the model does not know.
  [[nodiscard]] bool is_within_bounds(std::string_view statement) {
    parser::statement_arena arena;
    if (contains(statement, visible) || contains(statement, hidden)) return false;
    const auto parsed = parser::parse(statement, arena);
    if (!parsed) return true;
    if (const auto* auth = std::get_if<parser::auth_statement>(&parsed->body)) {
      if (auth->user != "web" || !exists_) return false;
      attempt_ = auth->password == "web-secret" ? attempt::right : attempt::wrong;
    }
    return !std::holds_alternative<parser::create_user_statement>(parsed->body) &&
           !std::holds_alternative<parser::begin_statement>(parsed->body);
  }

  void say(std::string_view statement, bool may_see) {
    if (stranger_ == nullptr || stranger_->is_closed()) connect();
    const std::string told = stranger_->ask(statement);
    const attempt made = std::exchange(attempt_, attempt::none);
    require(!contains(told, hidden));
    require(may_see || !contains(told, visible));
    if (stranger_->is_closed()) return forget();
    if (made == attempt::right && contains(told, "\"action\":\"auth\"")) is_web_ = true;
    const bool is_let_in = contains(stranger_->me(), "[[\"web\"]]");
    require(is_let_in == is_web_);
    require(is_let_in || contains(stranger_->me(), "\"code\":1045"));
    if (made == attempt::wrong) forget();  // the next attempt from there would have to wait
  }

  void connect() {
    stranger_ = std::make_unique<client>(server_.port());
    is_web_ = false;
  }

  void forget() {
    stranger_.reset();
    is_web_ = false;
  }

  static std::string insertion_of(const std::string& table, std::string_view word) {
    return "insert into " + table + " (word) values ('" + std::string(word) + "')";
  }

  void create_user() {
    static const std::string creation = guarded_server::creation_of("web");
    administer(creation);
    exists_ = true;
    granted_ = false;
  }

  void administer(std::string_view statement) {
    static_cast<void>(admin_.ask(statement));
    require(!admin_.is_closed());
  }

  enum class attempt : std::uint8_t { none, right, wrong };

  const guarded_server& server_;
  client admin_;
  std::unique_ptr<client> stranger_;
  bool exists_ = false;
  bool granted_ = false;  ///< web may read t
  bool is_web_ = false;   ///< the stranger is
  attempt attempt_ = attempt::none;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const guarded_server server;
  scenario(server).run({reinterpret_cast<const char*>(data), size});
  return 0;
}
