#include "core/random.h"

#include <cmath>
#include <numeric>
#include <utility>

#include "core/error.h"

namespace xgen {
namespace {

/// The finaliser of SplitMix64 (Steele et al., OOPSLA 2014): a bijection that mixes well.
std::uint64_t mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

/// Natural logarithm of x > 0 from additions, multiplications and divisions only: libraries' `log`
/// differ in the last bit, and so would the weights drawn with it.
double portable_log(double x) {
  int exponent = 0;
  double m = std::frexp(x, &exponent);
  if (m < 0.70710678118654752440) {
    m *= 2;
    --exponent;
  }
  const double s = (m - 1) / (m + 1);  // |s| < 0.172, so 12 terms leave less than 1e-19
  const double square = s * s;
  double sum = 0;
  for (int k = 12; k >= 0; --k) sum = sum * square + 1.0 / (2 * k + 1);
  return 2 * s * sum + exponent * 0.693147180559945309417;
}

double polynomial(const std::array<double, 8>& c, double x) {
  double sum = c[7];
  for (std::size_t k = 7; k-- > 0;) sum = sum * x + c[k];
  return sum;
}

/// The inverse of the normal distribution function for p in (0, 1), to about 1e-16.
/// Source: Wichura, algorithm AS 241 (PPND16), Applied Statistics 37 (1988).
double normal_quantile(double p) {
  const double q = p - 0.5;
  if (std::abs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q *
           polynomial({3.3871328727963666080e0, 1.3314166789178437745e+2, 1.9715909503065514427e+3,
                       1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
                       3.3430575583588128105e+4, 2.5090809287301226727e+3},
                      r) /
           polynomial({1.0, 4.2313330701600911252e+1, 6.8718700749205790830e+2,
                       5.3941960214247511077e+3, 2.1213794301586595867e+4, 3.9307895800092710610e+4,
                       2.8729085735721942674e+4, 5.2264952788528545610e+3},
                      r);
  }
  double r = std::sqrt(-portable_log(q <= 0 ? p : 1 - p));
  double x = 0;
  if (r <= 5) {
    r -= 1.6;
    x = polynomial({1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
                    3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
                    2.27238449892691845833e-2, 7.74545014278341407640e-4},
                   r) /
        polynomial({1.0, 2.05319162663775882187e0, 1.67638483018380384940e0,
                    6.89767334985100004550e-1, 1.48103976427480074590e-1, 1.51986665636164571966e-2,
                    5.47593808499534494600e-4, 1.05075007164441684324e-9},
                   r);
  } else {
    r -= 5;
    x = polynomial({6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
                    2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                    2.71155556874348757815e-5, 2.01033439929228813265e-7},
                   r) /
        polynomial({1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1,
                    1.48753612908506148525e-2, 7.86869131145613259100e-4, 1.84631831751005468180e-5,
                    1.42151175831644588870e-7, 2.04426310338993978564e-15},
                   r);
  }
  return q < 0 ? -x : x;
}

}  // namespace

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53U} * counter[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57U} * counter[2];
    counter = {
        static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(b),
        static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(a)};
    key = {key[0] + 0x9E3779B9U, key[1] + 0xBB67AE85U};
  }
  return counter;
}

std::uint32_t RandomStream::next() {
  if (used_ == 4) {
    const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
    const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
    buffer_ = philox4x32({low(block_), high(block_), low(stream_), high(stream_)},
                         {low(seed_), high(seed_)});
    ++block_;
    used_ = 0;
  }
  return buffer_[static_cast<std::size_t>(used_++)];
}

double RandomStream::uniform() {
  const std::uint64_t high = next();
  const std::uint64_t bits = (high << 21) ^ (next() >> 11);  // 53 bits
  return static_cast<double>(bits) * 0x1p-53;
}

float RandomStream::uniform_float() { return static_cast<float>(next() >> 8) * 0x1p-24F; }

double RandomStream::normal() {
  // Half a step away from 0, whose quantile is infinite.
  return normal_quantile(uniform() + 0x1p-54);
}

double RandomStream::beta(double alpha) {
  XGEN_CHECK(alpha > 0 && alpha <= 1, "Joehnk's method is for alpha in (0, 1], not ", alpha);
  while (true) {
    const double x = std::pow(uniform(), 1 / alpha);
    const double y = std::pow(uniform(), 1 / alpha);
    if (x + y > 0 && x + y <= 1) return x / (x + y);
  }
}

std::int64_t RandomStream::integer(std::int64_t low, std::int64_t high) {
  XGEN_CHECK(low <= high, "no integer in [", low, ", ", high, "]");
  const std::uint64_t span = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  const auto draw = [this] {
    const std::uint64_t upper = next();
    return (upper << 32) | next();
  };
  if (span == UINT64_MAX) return static_cast<std::int64_t>(draw());
  const std::uint64_t count = span + 1;
  // The numbers from `limit` on would make the first remainders likelier than the others.
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % count;
  std::uint64_t x = draw();
  while (x >= limit) x = draw();
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + x % count);
}

std::vector<std::int64_t> RandomStream::permutation(std::int64_t n) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  for (std::int64_t i = n - 1; i > 0; --i) {
    std::swap(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(integer(0, i))]);
  }
  return order;
}

RandomKey::RandomKey(std::string_view word) : value(0xCBF29CE484222325U) {
  for (const char c : word) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
}

std::uint64_t Random::fold(std::initializer_list<RandomKey> keys) {
  std::uint64_t state = keys.size();
  for (const RandomKey& key : keys) state = mix(state ^ mix(key.value));
  return state;
}

}  // namespace xgen
