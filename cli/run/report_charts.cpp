#include "cli/run/report_charts.h"

#include <algorithm>
#include <cmath>

#include "cli/run/report_values.h"
#include "core/error.h"

namespace xgen::cli {

namespace {

constexpr double kWidth = 480, kHeight = 270;
constexpr double kLeft = 52, kRight = 12, kTop = 26, kBottom = 40;

/// From values to places in the picture.
struct Frame {
  double x_low, x_high, y_low, y_high;
  double x(double value) const {
    return kLeft + (value - x_low) / (x_high - x_low) * (kWidth - kLeft - kRight);
  }
  double y(double value) const {
    return kHeight - kBottom - (value - y_low) / (y_high - y_low) * (kHeight - kTop - kBottom);
  }
};

std::string place(double value) { return fixed(value, 1); }

std::string text(double x, double y, const char* style, const std::string& content) {
  return str("<text x=\"", place(x), "\" y=\"", place(y), "\" class=\"", style, "\">",
             escaped(content), "</text>");
}

std::string line(double x1, double y1, double x2, double y2, const char* style) {
  return str("<line x1=\"", place(x1), "\" y1=\"", place(y1), "\" x2=\"", place(x2), "\" y2=\"",
             place(y2), "\" class=\"", style, "\"/>");
}

std::string dot(const Frame& frame, const Point& point, double radius, const std::string& style) {
  return str("<circle cx=\"", place(frame.x(point.x)), "\" cy=\"", place(frame.y(point.y)),
             "\" r=\"", radius, "\" class=\"", style, "\"><title>", escaped(point.title),
             "</title></circle>");
}

/// Decimals that tell neighbouring ticks apart.
int decimals(const std::vector<double>& ticks, double scale) {
  const double step = ticks.size() > 1 ? (ticks[1] - ticks[0]) * scale : 1;
  return std::clamp(static_cast<int>(std::ceil(-std::log10(step) - 1e-9)), 0, 6);
}

/// Large numbers, such as bytes, with k or M: they would run into the chart.
std::string tick_text(double tick, int decimals) {
  return std::abs(tick) < 1e5 ? fixed(tick, decimals) : count(tick);
}

std::string axes(const Frame& frame, const std::vector<double>& x_ticks,
                 const std::vector<double>& y_ticks, bool y_in_percent,
                 const std::string& x_label) {
  std::string svg;
  const double scale = y_in_percent ? 100 : 1;
  for (const double tick : y_ticks) {
    const double y = frame.y(tick);
    svg += line(kLeft, y, kWidth - kRight, y, "grid");
    svg += text(kLeft - 6, y + 4, "tick end",
                tick_text(tick * scale, decimals(y_ticks, scale)) + (y_in_percent ? " %" : ""));
  }
  for (const double tick : x_ticks) {
    svg += text(frame.x(tick), kHeight - kBottom + 16, "tick mid",
                tick_text(tick, decimals(x_ticks, 1)));
  }
  svg += line(kLeft, kHeight - kBottom, kWidth - kRight, kHeight - kBottom, "axis");
  return svg + text((kLeft + kWidth - kRight) / 2, kHeight - 6, "tick mid", x_label);
}

std::string opened(const std::string& title) {
  return str("<svg viewBox=\"0 0 ", kWidth, " ", kHeight, "\" role=\"img\" aria-label=\"",
             escaped(title), "\">");
}

std::string figure(const std::string& title, const std::string& legend, const std::string& svg) {
  return str("<figure><figcaption>", escaped(title), legend, "</figcaption>", svg,
             "</svg></figure>\n");
}

std::string legend_of(const std::vector<Series>& series) {
  if (series.size() < 2) return "";
  std::string html = "<span class=\"legend\">";
  for (std::size_t i = 0; i < series.size(); ++i) {
    html += str("<span><i class=\"key s", i, "\"></i>", escaped(series[i].name), "</span>");
  }
  return html + "</span>";
}

std::string spans_of(const Frame& frame, const std::vector<Span>& spans) {
  std::string svg;
  for (std::size_t i = 0; i < spans.size(); ++i) {
    const double from = frame.x(spans[i].from), to = frame.x(spans[i].to);
    if (i % 2 == 1) {
      svg += str("<rect x=\"", place(from), "\" y=\"", kTop, "\" width=\"", place(to - from),
                 "\" height=\"", kHeight - kTop - kBottom, "\" class=\"band\"/>");
    }
    // About 6 units a letter: a name that would run into the next one is left to the hover text.
    const std::string& name = spans[i].name;
    const auto letters = static_cast<std::size_t>(std::max(0.0, (to - from) / 6.3));
    std::string shown = name.size() <= letters ? name
                        : letters < 5          ? ""
                                               : name.substr(0, letters - 1) + "…";
    svg += str("<g><title>", escaped(name), "</title>",
               text((from + to) / 2, kTop - 8, "tick mid", shown), "</g>");
  }
  return svg;
}

/// A little room around values; never an empty range.
std::pair<double, double> padded(double low, double high, double share) {
  const double room = high > low ? (high - low) * share : std::max(std::abs(low) * 0.05, 1e-6);
  return {low - room, high + room};
}

}  // namespace

std::string escaped(const std::string& text) {
  // dump replaces what is no UTF-8; parsing gives the text back.
  const std::string valid = nlohmann::json::parse(
      nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  std::string html;
  for (const char c : valid) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\'':
        html += "&#39;";
        break;
      default:
        html += c;
    }
  }
  return html;
}

std::string meter(double share, const std::string& shown, bool lost) {
  return str("<span class=\"meter", lost ? " lost" : "",
             "\" style=\"--w:", fixed(std::clamp(100 * share, 0.0, 100.0), 0), "%\">", shown,
             "</span>");
}

std::vector<double> axis_ticks(double low, double high, int wanted) {
  const double rough = (high - low) / wanted;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  const double share = rough / power;
  const double step = power * (share <= 1 ? 1 : share <= 2 ? 2 : share <= 5 ? 5 : 10);
  std::vector<double> ticks;
  for (double k = std::ceil(low / step - 1e-9); k * step <= high + step * 1e-9; ++k) {
    ticks.push_back(k == 0 ? 0 : k * step);  // no -0
  }
  return ticks;
}

std::string line_chart(const LineChart& chart) {
  std::vector<double> xs, ys;
  for (const Series& series : chart.series) {
    for (const Point& point : series.points) {
      xs.push_back(point.x);
      ys.push_back(point.y);
    }
  }
  if (xs.empty()) return "";
  // A first epoch far below everything else would flatten what matters: the axis starts where
  // nine tenths of the points begin, and lines are clipped there.
  std::sort(ys.begin(), ys.end());
  double low = ys.front(), high = ys.back();
  if (chart.y_in_percent) low = ys[ys.size() / 10];
  std::tie(low, high) = padded(low, high, 0.08);
  if (ys.front() >= 0) low = std::max(low, 0.0);
  if (chart.y_in_percent) high = std::min(high, 1.0 + (1.0 - low) * 0.02);
  auto [x_low, x_high] = std::minmax_element(xs.begin(), xs.end());
  Frame frame{*x_low, *x_high, low, high};
  if (!chart.spans.empty()) {
    frame.x_low = chart.spans.front().from;
    frame.x_high = chart.spans.back().to;
  }
  if (frame.x_high <= frame.x_low) std::tie(frame.x_low, frame.x_high) = padded(*x_low, *x_high, 1);

  std::vector<double> x_ticks = axis_ticks(frame.x_low, frame.x_high, 6);
  std::erase_if(x_ticks, [](double tick) { return tick != std::floor(tick); });
  std::string svg =
      opened(chart.title) + spans_of(frame, chart.spans) +
      axes(frame, x_ticks, axis_ticks(low, high, 5), chart.y_in_percent, chart.x_label);
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    std::string path;
    const double floor_y = kHeight - kBottom;
    for (const Point& point : chart.series[i].points) {
      const double y = std::min(frame.y(point.y), floor_y);
      path += str(path.empty() || point.starts_line ? "M" : "L", place(frame.x(point.x)), " ",
                  place(y));
    }
    svg += str("<path d=\"", path, "\" class=\"line s", i, "\"/>");
    for (const Point& point : chart.series[i].points) {
      if (frame.y(point.y) <= floor_y) svg += dot(frame, point, 2.5, str("dot s", i));
    }
  }
  return figure(chart.title, legend_of(chart.series), svg);
}

std::string scatter_chart(const ScatterChart& chart) {
  std::vector<Point> points = chart.points, all = chart.points;
  all.insert(all.end(), chart.beside.begin(), chart.beside.end());
  if (all.empty()) return "";
  const auto by_x = [](const Point& a, const Point& b) { return a.x < b.x; };
  const auto by_y = [](const Point& a, const Point& b) { return a.y < b.y; };
  const double sign = chart.less_y_is_better ? -1 : 1;
  std::stable_sort(points.begin(), points.end(), [&](const Point& a, const Point& b) {
    return a.x != b.x ? a.x < b.x : sign * a.y > sign * b.y;
  });
  const auto [leftmost, rightmost] = std::minmax_element(all.begin(), all.end(), by_x);
  const auto [lowest, highest] = std::minmax_element(all.begin(), all.end(), by_y);
  const auto [x_low, x_high] = padded(leftmost->x, rightmost->x, 0.12);
  const auto [y_low, y_high] = padded(lowest->y, highest->y, 0.15);
  const Frame frame{std::max(0.0, x_low), x_high, y_low, y_high};

  std::string front, dots, labels;
  for (const Point& point : chart.beside) dots += dot(frame, point, 3, "dot faint");
  double best = -HUGE_VAL;
  for (const Point& point : points) {
    const bool on_front = sign * point.y > best;
    if (on_front) {
      best = sign * point.y;
      front +=
          str(front.empty() ? "M" : "L", place(frame.x(point.x)), " ", place(frame.y(point.y)));
    }
    dots += dot(frame, point, 4.5, on_front ? "dot s0" : "dot other");
    if (chart.only_front_labelled && !on_front) continue;
    // The front rises to the right: below it is free.
    const bool right_half = frame.x(point.x) > kWidth * 0.65;
    labels +=
        text(frame.x(point.x) + (right_half ? -8 : 8), frame.y(point.y) + (on_front ? 16 : -8),
             right_half ? "tick end" : "tick", point.title);
  }
  const std::string svg = opened(chart.title) +
                          axes(frame, axis_ticks(frame.x_low, x_high, 6),
                               axis_ticks(y_low, y_high, 5), chart.y_in_percent, chart.x_label) +
                          text(kLeft - 46, kTop - 10, "tick", chart.y_label) + "<path d=\"" +
                          front + "\" class=\"line s0 dashed\"/>" + dots + labels;
  return figure(chart.title, "", svg);
}

}  // namespace xgen::cli
