#include "storage/matching/interval_index.hpp"

#include <utility>

namespace pubsubsql::storage::matching {

namespace {

/// Spreads numbers that follow each other over all words (the end of MurmurHash3).
std::uint64_t mix(std::uint64_t n) {
  n = (n ^ n >> 33U) * 0xff51afd7ed558ccdU;
  n = (n ^ n >> 33U) * 0xc4ceb9fe1a85ec53U;
  return n ^ n >> 33U;
}

}  // namespace

bool interval_index::node::starts_before(std::string_view key) const {
  const int difference = lower().compare(key);
  return difference < 0 || (difference == 0 && lower_inclusive != 0);
}

bool interval_index::node::ends_after(std::string_view key) const {
  if (has_upper == 0) return true;
  const int difference = upper().compare(key);
  return difference > 0 || (difference == 0 && upper_inclusive != 0);
}

interval_index::node interval_index::make_node(const key_interval& i, std::uint64_t number) {
  node n;
  n.number = number;
  // The empty key is the lowest: an open lower end is one that includes it.
  n.lower_inclusive = 1;
  if (i.lower) {
    n.keys = i.lower->key;
    n.lower_bytes = static_cast<std::uint32_t>(i.lower->key.size()) & 0x7ff'ffffU;
    n.lower_inclusive = i.lower->inclusive ? 1 : 0;
  }
  if (i.upper) {
    n.keys += i.upper->key;
    n.has_upper = 1;
    n.upper_inclusive = i.upper->inclusive ? 1 : 0;
  }
  return n;
}

int interval_index::order(const node& a, const node& b) {
  if (const int difference = a.lower().compare(b.lower()); difference != 0) return difference;
  if (a.lower_inclusive != b.lower_inclusive) return a.lower_inclusive != 0 ? -1 : 1;
  if (a.number == b.number) return 0;
  return a.number < b.number ? -1 : 1;
}

bool interval_index::ends_later(const node& a, const node& b) {
  if (a.has_upper == 0 || b.has_upper == 0) return a.has_upper < b.has_upper;
  const int difference = a.upper().compare(b.upper());
  return difference > 0 || (difference == 0 && a.upper_inclusive > b.upper_inclusive);
}

bool interval_index::outranks(place a, place b) const {
  return mix(nodes_[a].number) > mix(nodes_[b].number);
}

interval_index::place& interval_index::child_towards(place of, const node& n) {
  return order(n, nodes_[of]) < 0 ? nodes_[of].left : nodes_[of].right;
}

/// Enters an interval into the tournament of the subtree that its node is in.
void interval_index::hold(place at, place interval) {
  for (;;) {
    node& n = nodes_[at];
    if (n.held == none) {
      n.held = interval;
      return;
    }
    if (ends_later(nodes_[interval], nodes_[n.held])) std::swap(interval, n.held);
    if (interval == at) {
      n.rests = 1;
      return;
    }
    at = child_towards(at, nodes_[interval]);
  }
}

/// Finds the next best for a node whose interval was taken.
void interval_index::refill(place at) {
  for (;;) {
    node& n = nodes_[at];
    place from = none;
    place best = n.rests != 0 ? at : none;
    for (const place child : {n.left, n.right}) {
      const place candidate = child == none ? none : nodes_[child].held;
      if (candidate == none || (best != none && !ends_later(nodes_[candidate], nodes_[best]))) continue;
      best = candidate;
      from = child;
    }
    n.held = best;
    if (best == at) n.rests = 0;
    if (from == none) return;
    at = from;
  }
}

/// After a rotation: `upper` was below `lower` until now.
void interval_index::exchange_slots(place upper, place lower) {
  const place displaced = std::exchange(nodes_[upper].held, nodes_[lower].held);
  refill(lower);
  if (displaced != none) hold(upper, displaced);
}

interval_index::place interval_index::rotate_left(place at) {
  const place up = nodes_[at].right;
  nodes_[at].right = std::exchange(nodes_[up].left, at);
  exchange_slots(up, at);
  return up;
}

interval_index::place interval_index::rotate_right(place at) {
  const place up = nodes_[at].left;
  nodes_[at].left = std::exchange(nodes_[up].right, at);
  exchange_slots(up, at);
  return up;
}

interval_index::place interval_index::insert_below(place at, place made) {
  if (at == none) return made;
  if (order(nodes_[made], nodes_[at]) < 0) {
    const place child = insert_below(nodes_[at].left, made);
    nodes_[at].left = child;
    return outranks(child, at) ? rotate_right(at) : at;
  }
  const place child = insert_below(nodes_[at].right, made);
  nodes_[at].right = child;
  return outranks(child, at) ? rotate_left(at) : at;
}

void interval_index::insert(const key_interval& i, std::uint64_t number, filtered_group& owner, bool ask) {
  const auto made = static_cast<place>(nodes_.size());
  nodes_.push_back(make_node(i, number));
  nodes_.back().owner = &owner;
  nodes_.back().ask = ask ? 1 : 0;
  root_ = insert_below(root_, made);
  hold(root_, made);
}

/// Takes an interval out of the tournament.
void interval_index::release(place interval) {
  if (nodes_[interval].rests != 0) {
    nodes_[interval].rests = 0;
    return;
  }
  place at = root_;
  while (nodes_[at].held != interval) at = child_towards(at, nodes_[interval]);
  refill(at);
}

/// Takes a node, whose interval was released, out of the search tree. Returns what takes its place.
interval_index::place interval_index::sink(place at) {
  const place left = nodes_[at].left;
  const place right = nodes_[at].right;
  if (left == none && right == none) return none;
  if (right == none || (left != none && outranks(left, right))) {
    const place up = rotate_right(at);
    const place below = sink(at);
    nodes_[up].right = below;
    return up;
  }
  const place up = rotate_left(at);
  const place below = sink(at);
  nodes_[up].left = below;
  return up;
}

void interval_index::erase(const key_interval& i, std::uint64_t number) {
  const node wanted = make_node(i, number);
  place* link = &root_;
  for (int way = order(wanted, nodes_[*link]); way != 0; way = order(wanted, nodes_[*link])) {
    link = way < 0 ? &nodes_[*link].left : &nodes_[*link].right;
  }
  const place gone = *link;
  release(gone);
  *link = sink(gone);
  move_last_to(gone);
}

/// Fills the gap that a node left in the array.
void interval_index::move_last_to(place hole) {
  const auto last = static_cast<place>(nodes_.size() - 1);
  if (hole != last) {
    place at = root_;
    if (root_ == last) root_ = hole;
    for (;;) {
      if (nodes_[at].held == last) nodes_[at].held = hole;
      if (at == last) break;
      place& child = child_towards(at, nodes_[last]);
      const place next = child;
      if (child == last) child = hole;
      at = next;
    }
    nodes_[hole] = std::move(nodes_[last]);
  }
  nodes_.pop_back();
  constexpr std::size_t sparse = 4;
  if (nodes_.size() < nodes_.capacity() / sparse) nodes_.shrink_to_fit();
}

void interval_index::visit(place at, std::string_view key,
                           absl::FunctionRef<void(filtered_group&, bool)> visitor) const {
  while (at != none) {
    const node& n = nodes_[at];
    if (n.held == none || !nodes_[n.held].ends_after(key)) return;
    if (nodes_[n.held].starts_before(key)) visitor(*nodes_[n.held].owner, nodes_[n.held].ask != 0);
    const bool starts = n.starts_before(key);
    if (starts && n.rests != 0 && n.ends_after(key)) visitor(*n.owner, n.ask != 0);
    if (starts) visit(n.right, key, visitor);
    at = n.left;
  }
}

void interval_index::visit(std::string_view key, absl::FunctionRef<void(filtered_group&, bool)> visitor) const {
  visit(root_, key, visitor);
}

}  // namespace pubsubsql::storage::matching
