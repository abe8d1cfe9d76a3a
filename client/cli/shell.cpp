#include "client/cli/shell.hpp"

#include <algorithm>
#include <variant>

#include <sys/ioctl.h>
#include <unistd.h>

#include "client/cli/text.hpp"
#include "client/cli/transfer.hpp"
#include "parser/parser.hpp"
#include "parser/print.hpp"
#include "parser/secrets.hpp"

namespace pubsubsql::cli {
namespace {

constexpr std::size_t width_unknown = 80;

/// A person can interrupt, and a script may have something long to do: nobody gives up on a reply by the clock.
client_options patient(const shell::settings& s) {
  client_options options;
  options.user = s.user;
  options.password = s.password;
  options.tls = s.tls;
  options.reply_timeout = std::chrono::milliseconds(0);
  // A script does not go on on another connection.
  options.resume = s.interactive;
  options.reconnect.automatic = s.interactive;
  return options;
}

/// The columns of the terminal that the output goes to; 0 when it goes elsewhere.
std::size_t terminal_width() {
  if (::isatty(STDOUT_FILENO) == 0) return 0;
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return width_unknown;
  return size.ws_col;
}

/// Whether the offset of an error is in the statement itself, and not in one that it executes or prepares.
bool tells_place(const error& why) {
  return why.offset() && !std::string_view(why.what()).ends_with("of the statement to be executed");
}

std::uint64_t line_of(const piece& p, const error& why) {
  const std::string_view before = std::string_view(p.text).substr(0, tells_place(why) ? *why.offset() : 0);
  return p.line + static_cast<std::uint64_t>(std::count(before.begin(), before.end(), '\n'));
}

bool asks_for_positions(std::string_view sql) {
  parser::statement_arena arena;
  const auto parsed = parser::parse(sql, arena);
  const auto* s = parsed ? std::get_if<parser::subscribe_statement>(&parsed->body) : nullptr;
  return s != nullptr && s->tells_positions();
}

/// Whether the server says that it has rolled a transaction back.
bool ends_transaction(std::string_view message) {
  return message.find("was rolled back") != std::string_view::npos || message.starts_with("Deadlock found");
}

}  // namespace

shell::shell(boost::asio::io_context& loop, settings s, std::ostream& out, std::ostream& err)
    : settings_(std::move(s)),
      out_(out),
      err_(err),
      net_(loop, patient(settings_),
           {.on_event =
                [this](const event& e) {
                  events_ += e.rows.size();
                  show_notice([&] { write_event(out_, e, output_layout(e.subscription)); });
                },
            .on_lost = [this](const error& why) { tell_loss(why); },
            .on_back =
                [this] {
                  loss_told_ = false;
                  show_notice([&] { say_connected(" again"); });
                  on_back();
                }}) {}

void shell::tell_loss(const error& why) {
  if (std::exchange(loss_told_, false)) return;
  show_notice([&] {
    err_ << escaped_lines(why.what()) << '\n';
    if (!settings_.interactive) return;
    err_ << (net_.comes_back() ? "Connecting again; \\c does so at once.\n" : "\\c connects again.\n");
  });
}

void shell::show_notice(const std::function<void()>& write) {
  before_notice();
  write();
  out_.flush();
  err_.flush();
  after_notice();
}

layout shell::output_layout(subscription of) const {
  return {.format = settings_.format, .width = terminal_width(), .positions = positioned_.contains(of)};
}

shell::status shell::run(const piece& p, std::string_view source) {
  const status s = p.command ? run_command(p, source) : run_statement(p, source);
  out_.flush();
  err_.flush();
  return s;
}

bool shell::connect(const std::string& host, std::uint16_t port) {
  loss_told_ = false;
  in_transaction_ = false;
  if (const auto failure = net_.connect(host, port)) {
    err_ << escaped_lines(failure->what()) << '\n';
    return false;
  }
  if (settings_.interactive) say_connected("");
  return true;
}

void shell::say_connected(std::string_view again) {
  err_ << "Connected to " << escaped(net_.host()) << ':' << net_.port() << again << ".\n";
}

// --- statements ---

shell::status shell::run_statement(const piece& p, std::string_view source) {
  const auto begin = session::clock::now();
  auto answer = net_.execute(p.text);
  if (!answer) return fail(p, source, answer.error());
  if (answer->action() == "close") {
    loss_told_ = true;
    net_.stay_away();
  }
  note_transaction(answer->action());
  if (answer->subscription() != subscription::none && asks_for_positions(p.text))
    positioned_.insert(answer->subscription());
  show_reply(*answer, session::clock::now() - begin);
  on_reply(*answer);
  return status::fine;
}

void shell::note_transaction(std::string_view action) {
  if (action == "begin") in_transaction_ = true;
  if (action == "commit" || action == "rollback") in_transaction_ = false;
}

void shell::show_reply(const reply& r, std::chrono::nanoseconds took) {
  const layout l = output_layout(r.subscription());
  write_reply(out_, r, l);
  const bool says_more = l.format == output_format::table || l.format == output_format::vertical;
  if (!says_more && !(settings_.interactive && l.format == output_format::csv && !r.has_rows())) return;
  out_ << summary(r);
  if (settings_.timing) out_ << " (" << duration_text(took) << ')';
  out_ << '\n';
}

shell::status shell::fail(const piece& p, std::string_view source, const error& why) {
  if (settings_.format == output_format::json && !settings_.interactive) write_json_error(out_, why);
  if (settings_.interactive && why.code() == errc::timeout) err_ << '\n';  // the terminal has just echoed ^C
  if (!source.empty()) err_ << escaped(source) << ':' << line_of(p, why) << ": ";
  err_ << escaped_lines(why.what()) << '\n';
  if (tells_place(why) && !parser::holds_secret(p.text))
    err_ << escaped_lines(parser::caret(p.text, *why.offset())) << '\n';
  if (ends_transaction(why.what())) in_transaction_ = false;
  if (why.code() != errc::connection_lost && why.code() != errc::protocol_error) return status::failed;
  loss_told_ = true;
  in_transaction_ = false;
  return status::lost;
}

// --- commands ---

shell::status shell::run_command(const piece& p, std::string_view source) {
  const auto parsed = parse_command(p.text);
  if (!parsed) return fail(p, source, error(errc::usage, parsed.error()));
  try {
    return std::visit([this](const auto& c) { return perform(c); }, *parsed);
  } catch (const error& why) {
    return fail(p, source, why);
  }
}

shell::status shell::perform(const help_command&) {
  out_ << command_help();
  return status::fine;
}

shell::status shell::perform(const quit_command&) {
  return status::quit;
}

shell::status shell::perform(const timing_command&) {
  settings_.timing = !settings_.timing;
  out_ << "Timing is " << (settings_.timing ? "on" : "off") << ".\n";
  return status::fine;
}

shell::status shell::perform(const format_command& c) {
  settings_.format = c.format;
  if (settings_.interactive) out_ << "The format is " << name_of(c.format) << ".\n";
  return status::fine;
}

shell::status shell::perform(const connect_command& c) {
  const bool same_host = !c.host;
  const std::string host = c.host.value_or(net_.host());
  return connect(host, c.port.value_or(same_host ? net_.port() : default_port)) ? status::fine : status::lost;
}

shell::status shell::perform(const tables_command&) {
  return run_statement({.command = true, .text = "show tables", .line = 1}, {});
}

shell::status shell::perform(const describe_command& c) {
  return run_statement({.command = true, .text = "describe " + parser::quote_name(c.table), .line = 1}, {});
}

shell::status shell::perform(const import_command& c) {
  return import_csv(net_, c, {out_, err_, settings_.timing}) ? status::fine : status::failed;
}

shell::status shell::perform(const export_command& c) {
  return export_csv(net_, c, {out_, err_, settings_.timing}) ? status::fine : status::failed;
}

shell::status shell::perform(const wait_command& c) {
  const auto limit = std::chrono::duration_cast<session::clock::duration>(std::chrono::duration<double>(c.seconds));
  const bool came = net_.wait([&] { return events_ >= c.events || !net_.connected(); }, session::clock::now() + limit);
  if (!came || events_ < c.events) {
    throw error(errc::timeout,
                "waited for " + counted(c.events, "event") + ", and " + std::to_string(events_) + " came");
  }
  events_ -= c.events;
  return status::fine;
}

}  // namespace pubsubsql::cli
