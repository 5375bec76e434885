#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

/// Random numbers that depend on nothing but their keys: the same on every machine, for every
/// thread count and whichever order they are drawn in (DESIGN section 1, law 4).
namespace xgen {

/// Philox4x32-10: a bijection of 128-bit counters, chosen by a 64-bit key.
///
/// Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC'11.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key);

/// One sequence of random numbers. Cheap to make and to copy; a copy repeats the sequence.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, std::uint64_t stream) : seed_(seed), stream_(stream) {}

  std::uint32_t next();       ///< 32 random bits.
  double uniform();           ///< in [0, 1), 53 bits.
  float uniform_float();      ///< in [0, 1), 24 bits.
  double normal();            ///< mean 0, variance 1; by inversion, one uniform() each.
  double beta(double alpha);  ///< Beta(alpha, alpha), alpha in (0, 1]; Joehnk's method.
  bool chance(double probability) { return uniform() < probability; }
  /// In [low, high], both included, without bias. @throws InternalError when low > high.
  std::int64_t integer(std::int64_t low, std::int64_t high);
  /// A random order of 0 .. n - 1 (Fisher-Yates).
  std::vector<std::int64_t> permutation(std::int64_t n);

 private:
  std::uint64_t seed_;
  std::uint64_t stream_;
  std::uint64_t block_ = 0;
  std::array<std::uint32_t, 4> buffer_{};
  int used_ = 4;
};

/// A part of a stream's name: a number (epoch, step, sample) or a word ("shuffle", a node's name).
struct RandomKey {
  std::uint64_t value;

  template <class T>
  requires std::is_integral_v<T> RandomKey(T number)
      : value(static_cast<std::uint64_t>(number)) {}                         // NOLINT
  RandomKey(std::string_view word);                                          // NOLINT
  RandomKey(const char* word) : RandomKey(std::string_view(word)) {}         // NOLINT
  RandomKey(const std::string& word) : RandomKey(std::string_view(word)) {}  // NOLINT
};

/// All the randomness of a run.
///
///   Random random(config.seed);
///   random.stream("dropout", step, node.name).uniform();
class Random {
 public:
  explicit Random(std::uint64_t seed = 0) : seed_(seed) {}

  std::uint64_t seed() const { return seed_; }
  /// Streams of different keys are independent; ("a", "b") and ("b", "a") are different keys.
  template <class... Keys>
  RandomStream stream(const Keys&... keys) const {
    return {seed_, fold({RandomKey(keys)...})};
  }

 private:
  static std::uint64_t fold(std::initializer_list<RandomKey> keys);
  std::uint64_t seed_;
};

}  // namespace xgen
