#include "tools/bench/selective_subscribers.hpp"

#include <optional>
#include <vector>

namespace bench {

namespace {

constexpr double goal_of_null = 0.95;
constexpr double goal_among_others = 0.97;

}  // namespace

void selective_subscribers::add_options(CLI::App& to) {
  pubsub_workload::add_options(to);
  to.add_option("--subscribers", subscribers_, "Subscribers")->capture_default_str()->check(CLI::Range(1, 15'000));
  to.add_option("--other-subscriptions", other_subscriptions_, "Subscriptions to other rows in the second measurement")
      ->capture_default_str();
}

void selective_subscribers::run(report& out) {
  named_setup alone{.name = "selective", .setup = common_setup()};
  alone.setup.subscribers = alone.setup.keys = subscribers_;
  alone.setup.by_key = true;
  named_setup crowded{.name = "among " + std::to_string(other_subscriptions_), .setup = alone.setup};
  crowded.setup.other_subscriptions = other_subscriptions_;
  std::vector<named_setup> setups = {alone};
  if (other_subscriptions_ > 0) setups.push_back(crowded);
  measure_all(out, setups);
  for (const named_setup& s : setups) {
    for (const target& t : targets()) {
      if (t.name == ours) continue;
      out.compare(s.name + ", of " + t.name, rate_name(s.name, ours), rate_name(s.name, t.name),
                  t.name == null ? std::optional(goal_of_null) : std::nullopt);
    }
  }
  out.compare(crowded.name + ", of those alone", rate_name(crowded.name, ours), rate_name(alone.name, ours),
              goal_among_others);
}

}  // namespace bench
