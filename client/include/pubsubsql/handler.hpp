#pragma once

#include <concepts>
#include <memory>
#include <utility>

namespace pubsubsql::detail {

/// A function to be called at most once, which may be movable only (as Asio's completion handlers are).
template <typename... Args>
class handler {
 public:
  handler() = default;

  template <typename F>
  requires(!std::same_as<F, handler>) handler(F f)
      : body_(std::make_unique<body_of<F>>(std::move(f))) {}  // NOLINT: implicit by design

  explicit operator bool() const { return body_ != nullptr; }

  /// REQUIRES: holds a function, not called yet.
  void operator()(Args... args) { std::exchange(body_, nullptr)->call(std::move(args)...); }

 private:
  struct body {
    virtual ~body() = default;
    virtual void call(Args... args) = 0;
  };

  template <typename F>
  struct body_of final : body {
    explicit body_of(F function) : f(std::move(function)) {}
    void call(Args... args) override { std::move(f)(std::move(args)...); }
    F f;
  };

  std::unique_ptr<body> body_;
};

}  // namespace pubsubsql::detail
