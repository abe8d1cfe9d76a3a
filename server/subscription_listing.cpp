#include "server/subscription_listing.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/session.hpp"
#include "server/shared_state.hpp"
#include "server/worker.hpp"

namespace pubsubsql::server {

namespace {

std::string_view name_of(parser::slow_policy policy) {
  switch (policy) {
    case parser::slow_policy::disconnect:
      return "disconnect";
    case parser::slow_policy::conflate:
      return "conflate";
    case parser::slow_policy::drop:
      return "drop";
  }
  return "";
}

std::optional<std::string> text_of(const std::optional<std::uint64_t>& number) {
  if (!number) return std::nullopt;
  return std::to_string(*number);
}

/// What numbers and names of a line take, about.
constexpr std::size_t line_bytes = 200;

}  // namespace

subscription_list subscription_listing::list_here() const {
  subscription_list list;
  const std::size_t bytes_max = worker_.shared().settings.engine.result_bytes_max;
  worker_.statements().database().for_each_subscription([&](const storage::subscription_summary& s) {
    list.bytes += line_bytes + s.table.size() + s.statement.size();
    list.is_cut = list.bytes > bytes_max;
    if (list.is_cut) return false;
    list.subscriptions.push_back({.session = s.subscriber,
                                  .pubsubid = s.pubsubid,
                                  .table = std::string(s.table),
                                  .statement = s.statement,
                                  .events = s.events});
    return true;
  });
  worker_.statements().database().for_each_named([&](const storage::named_summary& s) {
    list.bytes += line_bytes + s.name.size() + s.table.size() + s.statement.size();
    list.is_cut = list.is_cut || list.bytes > bytes_max;
    if (list.is_cut) return false;
    list.named.push_back({.name = std::string(s.name),
                          .table = std::string(s.table),
                          .statement = std::string(s.statement),
                          .position = s.position,
                          .behind = s.behind,
                          .pubsubid = s.pubsubid});
    return true;
  });
  worker_.for_each_session([&](session& s) {
    if (!s.has_subscriptions()) return;
    const std::int64_t since = s.output().waits_since_us();
    const std::int64_t age_us = since == 0 ? 0 : std::max<std::int64_t>(worker_.now_us() - since, 0);
    list.connections.emplace(s.id(), connection_facts{.address = s.address(),
                                                      .backlog_bytes = s.backlog_bytes(),
                                                      .age_ms = static_cast<std::uint64_t>(age_us / 1'000)});
    if (s.slow() == nullptr) return;
    for (const auto& [pubsubid, borne] : s.slow()->all()) {
      list.borne.emplace(pubsubid,
                         borne_facts{.policy = borne.policy, .dropped = borne.dropped, .conflated = borne.conflated});
    }
  });
  return list;
}

void subscription_listing::show(const client_request& a) {
  const std::size_t workers = worker_.shared().workers.size();
  worker_.events().hand_out();
  gathering g{
      .route = {.session = a.from.id(), .slot = 0, .address = a.to}, .missing = workers - 1, .all = list_here()};
  if (g.missing == 0) {
    return a.from.reply([&](std::string& out) { encode(out, g); });
  }
  g.route.slot = a.from.await_reply();
  const std::uint64_t number = ++last_;
  gatherings_.emplace(number, std::move(g));
  for (unsigned other = 0; other < workers; ++other) {
    if (other != worker_.index()) {
      worker_.send(other, list_subscriptions{.asker = worker_.index(), .gathering = number});
    }
  }
}

void subscription_listing::on(const list_subscriptions& m) {
  worker_.send(m.asker, subscriptions_listed{.gathering = m.gathering, .list = list_here()});
}

void subscription_listing::add(gathering& g, subscription_list&& list) const {
  g.all.bytes += list.bytes;
  g.all.is_cut = g.all.is_cut || list.is_cut || g.all.bytes > worker_.shared().settings.engine.result_bytes_max;
  if (g.all.is_cut) {
    g.all.subscriptions.clear();
    return g.all.named.clear();
  }
  std::ranges::move(list.subscriptions, std::back_inserter(g.all.subscriptions));
  std::ranges::move(list.named, std::back_inserter(g.all.named));
  g.all.connections.merge(list.connections);
  g.all.borne.merge(list.borne);
}

void subscription_listing::on(subscriptions_listed& m) {
  const auto it = gatherings_.find(m.gathering);
  gathering& g = it->second;
  add(g, std::move(m.list));
  if (--g.missing > 0) return;
  if (session* to = worker_.find(g.route.session)) {
    std::string bytes;
    encode(bytes, g);
    to->complete(g.route.slot, std::move(bytes));
  }
  gatherings_.erase(it);
}

void subscription_listing::encode(std::string& out, gathering& g) const {
  if (g.all.is_cut) {
    return encode_error(out, g.route.address, "the subscriptions are more than --max-result-bytes may show; raise it");
  }
  static constexpr std::string_view columns[] = {"Connection", "Pubsubid", "Table", "Statement", "Policy",
                                                 "Backlog",    "Age",      "Sent",  "Dropped",   "Conflated",
                                                 "Name",       "Position", "Behind"};
  std::ranges::sort(g.all.subscriptions, {}, &subscription_facts::pubsubid);
  std::ranges::sort(g.all.named, {}, &named_facts::name);
  absl::flat_hash_map<std::uint64_t, const named_facts*> names;
  std::vector<std::optional<std::string>> cells;
  const auto add_name = [&](const named_facts& n) {
    cells.insert(cells.end(), {n.name, text_of(n.position), text_of(n.behind)});
  };
  for (const named_facts& n : g.all.named) {
    if (n.pubsubid != 0) names.emplace(n.pubsubid, &n);
  }
  for (subscription_facts& s : g.all.subscriptions) {
    const auto named = names.find(s.pubsubid);
    const auto connection = g.all.connections.find(s.session);
    if (connection == g.all.connections.end()) continue;  // it ends
    const connection_facts& c = connection->second;
    const auto found = g.all.borne.find(s.pubsubid);
    const borne_facts borne = found == g.all.borne.end() ? borne_facts{} : found->second;
    const std::uint64_t kept_back = borne.dropped + borne.conflated;
    // The same words as of one that nobody has.
    std::string statement = named == names.end() ? std::move(s.statement) : named->second->statement;
    cells.insert(cells.end(), {c.address, std::to_string(s.pubsubid), std::move(s.table), std::move(statement),
                               std::string(name_of(borne.policy)), std::to_string(c.backlog_bytes),
                               std::to_string(c.age_ms), std::to_string(s.events - std::min(kept_back, s.events)),
                               std::to_string(borne.dropped), std::to_string(borne.conflated)});
    if (named != names.end()) {
      add_name(*named->second);
      names.erase(named);
    } else {
      cells.resize(cells.size() + 3);
    }
  }
  // Those that nobody has, or whose connection ends.
  for (const named_facts& n : g.all.named) {
    if (n.pubsubid != 0 && !names.contains(n.pubsubid)) continue;
    cells.insert(cells.end(), {std::nullopt, std::nullopt, n.table, n.statement});
    cells.resize(cells.size() + 6);
    add_name(n);
  }
  const std::vector<storage::value> values(cells.begin(), cells.end());
  encode_listing(out, g.route.address, "show", columns, values);
}

}  // namespace pubsubsql::server
