#include "core/ir/shapes/dim_math.h"

#include <algorithm>
#include <cctype>

namespace xgen::ir {

namespace {

/// factor * symbols[0] * symbols[1] * ...
struct Monomial {
  std::int64_t factor = 1;
  std::vector<std::string> symbols;  // sorted
};

bool is_number(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](unsigned char c) { return std::isdigit(c) != 0; });
}

Monomial parse(const Dim& dim) {
  Monomial m;
  if (dim.is_static()) {
    m.factor = dim.size;
    return m;
  }
  int depth = 0;
  std::string part;
  const auto finish = [&] {
    // More digits than fit are a name, not a factor.
    if (is_number(part) && part.size() <= 18)
      m.factor *= std::stoll(part);
    else
      m.symbols.push_back(part);
    part.clear();
  };
  for (const char c : dim.symbol) {
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (c == '*' && depth == 0)
      finish();
    else
      part += c;
  }
  finish();
  std::sort(m.symbols.begin(), m.symbols.end());
  return m;
}

Dim to_dim(const Monomial& m) {
  if (m.factor == 0 || m.symbols.empty()) return m.factor;
  std::string text = m.factor == 1 ? "" : str(m.factor);
  for (const std::string& s : m.symbols) text += (text.empty() ? "" : "*") + s;
  return text;
}

/// "(base+3)" as base and 3; anything else as itself and 0.
std::pair<std::string, std::int64_t> split_offset(const std::string& text) {
  if (text.size() < 4 || text.front() != '(' || text.back() != ')') return {text, 0};
  int depth = 0;
  std::size_t sign = std::string::npos;
  for (std::size_t i = 0; i < text.size(); ++i) {
    depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
    if (depth == 0 && i + 1 < text.size()) return {text, 0};  // "(a)...(b)"
    if (depth == 1 && i > 1 && (text[i] == '+' || text[i] == '-')) sign = i;
  }
  if (sign == std::string::npos) return {text, 0};
  const std::string digits = text.substr(sign + 1, text.size() - sign - 2);
  if (!is_number(digits) || digits.size() > 18) return {text, 0};
  const std::int64_t offset = std::stoll(digits);
  return {text.substr(1, sign - 1), text[sign] == '-' ? -offset : offset};
}

}  // namespace

Dim add(const Dim& a, const Dim& b) {
  if (a.is_static() && b.is_static()) return a.size + b.size;
  if (a.is_static()) return add(b, a);
  if (!b.is_static()) {
    return a.symbol <= b.symbol ? Dim(str("(", a.symbol, "+", b.symbol, ")"))
                                : Dim(str("(", b.symbol, "+", a.symbol, ")"));
  }
  const auto [base, offset] = split_offset(a.symbol);
  const std::int64_t sum = offset + b.size;
  if (sum == 0) return base;
  return str("(", base, sum > 0 ? "+" : "", sum, ")");
}

Dim subtract(const Dim& a, const Dim& b) {
  if (a == b) return std::int64_t{0};
  if (b.is_static()) return add(a, -b.size);
  if (!a.is_static()) {
    const auto [base_a, offset_a] = split_offset(a.symbol);
    const auto [base_b, offset_b] = split_offset(b.symbol);
    if (base_a == base_b) return offset_a - offset_b;
  }
  return str("(", to_string(a), "-", b.symbol, ")");
}

Dim multiply(const Dim& a, const Dim& b) {
  Monomial m = parse(a);
  const Monomial other = parse(b);
  m.factor *= other.factor;
  m.symbols.insert(m.symbols.end(), other.symbols.begin(), other.symbols.end());
  std::sort(m.symbols.begin(), m.symbols.end());
  return to_dim(m);
}

Dim floor_divide(const Dim& a, std::int64_t divisor) {
  XGEN_CHECK(divisor > 0, "division of an extent by ", divisor);
  Monomial m = parse(a);
  if (m.symbols.empty()) {
    const std::int64_t quotient = m.factor / divisor;
    return m.factor % divisor < 0 ? quotient - 1 : quotient;
  }
  if (m.factor % divisor == 0) {
    m.factor /= divisor;
    return to_dim(m);
  }
  return str("floor(", a.symbol, "/", divisor, ")");
}

std::optional<Dim> divide_exactly(const Dim& a, const Dim& b) {
  Monomial m = parse(a);
  const Monomial divisor = parse(b);
  if (divisor.factor == 0 || m.factor % divisor.factor != 0) return std::nullopt;
  m.factor /= divisor.factor;
  for (const std::string& symbol : divisor.symbols) {
    const auto at = std::find(m.symbols.begin(), m.symbols.end(), symbol);
    if (at == m.symbols.end()) return std::nullopt;
    m.symbols.erase(at);
  }
  return to_dim(m);
}

Dim product(const Shape& shape) {
  Dim result = 1;
  for (const Dim& dim : shape) result = multiply(result, dim);
  return result;
}

}  // namespace xgen::ir
