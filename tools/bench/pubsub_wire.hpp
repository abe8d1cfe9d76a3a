#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

/// What has come in for a subscriber, or for a publisher.
struct received {
  std::uint64_t events = 0;
  std::uint64_t confirmations = 0;  ///< of subscriptions
  bool must_answer = false;         ///< the server wants a sign of life; whoever sends it clears this
  /// The numbers of the events, if they are wanted; whoever uses them clears them.
  bool wants_numbers = false;
  std::vector<std::uint64_t> numbers;
};

/// How a server is talked to by those who publish and those who subscribe: bytes to send, and bytes that came, counted
/// as cheaply as the protocol allows. Sans-io. Events are those of `event_text.hpp`; their keys are the stocks'
/// numbers.
class pubsub_wire {
 public:
  virtual ~pubsub_wire() = default;

  /// What a new connection sends first.
  [[nodiscard]] virtual std::string hello() const { return {}; }
  /// The sign of life.
  [[nodiscard]] virtual std::string answer() const { return {}; }
  /// Subscribes to the events of one key, or to all.
  [[nodiscard]] virtual std::string subscribe(std::optional<std::size_t> key) = 0;
  /// What is to follow the last subscription where it is this that is confirmed.
  [[nodiscard]] virtual std::string confirm() const { return {}; }

  /// Appends what publishes an event.
  virtual void publish(std::string& out, std::size_t key, std::uint64_t number) = 0;

  /// Takes whole messages off the front of the input; returns how many bytes that was. Throws std::runtime_error when
  /// the server reports an error or says what cannot be understood.
  virtual std::size_t take(std::string_view input, received& r) = 0;
};

/// PubSubSQL's: an update by key, as a `stream` statement or with a reply. The table and its rows must be there.
[[nodiscard]] std::unique_ptr<pubsub_wire> make_framed_wire(std::size_t keys, bool with_replies);
/// Redis' PUBLISH and SUBSCRIBE, with a channel for each key or one for all.
[[nodiscard]] std::unique_ptr<pubsub_wire> make_redis_wire(std::size_t keys, bool by_key);
/// NATS' PUB and SUB, with a subject for each key or one for all.
[[nodiscard]] std::unique_ptr<pubsub_wire> make_nats_wire(std::size_t keys, bool by_key);

}  // namespace bench
