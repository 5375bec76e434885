#include "cli/run/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "cli/run/report_charts.h"
#include "cli/run/report_values.h"

namespace xgen::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

json variant(const std::string& name, double top1, double ms, double size, double macs) {
  return {
      {"name", name},       {"test", {{"top1", top1}}}, {"latency_ms", ms}, {"size_bytes", size},
      {"macs", macs},       {"dense_macs", 600000},     {"p95_ms", 2 * ms}, {"memory_bytes", 20000},
      {"code_bytes", 34567}};
}

json epoch(int number, double top1) {
  return {{"epoch", number},
          {"train_loss", 1.0 / number},
          {"validation", {{"top1", top1}, {"loss", 2.0 / number}, {"samples", 100}}}};
}

json whole_report() {
  json dense = {{"name", "dense"},
                {"kind", "train"},
                {"seconds", 75.2},
                {"history", {epoch(1, 0.5), epoch(2, 0.9)}}};
  json prune = {{"name", "prune"},
                {"kind", "prune"},
                {"scheme", "pattern"},
                {"algorithm", "admm"},
                {"algorithm_history", {epoch(1, 0.91), epoch(2, 0.92)}},
                {"history", {epoch(1, 0.8), epoch(2, 0.93)}},
                {"layers",
                 {{{"node", "/conv2"},
                   {"op", "Conv"},
                   {"scheme", "pattern"},
                   {"rate", 4.5},
                   {"sensitivity", 0.0123},
                   {"dense_us", 9.0},
                   {"sparse_us", 3.0},
                   {"reason", "it wins"}},
                  {{"node", "/conv1"},
                   {"op", "Conv"},
                   {"scheme", "dense"},
                   {"reason", "excluded by \"/conv1\""}}}}};
  json ship = {
      {"name", "ship"},
      {"kind", "compile"},
      {"variants",
       {variant("dense fp32", 0.986, 0.04, 96400, 600000),
        variant("dense int8", 0.986, 0.02, 25600, 600000),
        variant("compressed", 0.984, 0.0125, 8210, 150000)}},
      {"layers",
       {{{"name", "/conv1+/relu1"}, {"scheme", "dense"}, {"ms", 0.004}, {"dense_ms", 0.004}},
        {{"name", "/conv2+/relu2"},
         {"scheme", "pattern"},
         {"ms", 0.002},
         {"dense_ms", 0.005},
         {"ceiling_share", 0.61},
         {"macs", 65536}}}}};
  return {{"name", "digits"},
          {"created", "2025-01-02 03:04 UTC"},
          {"config", {{"seed", 7}}},
          {"manifest", {{"xgen", "0.1.0"}, {"cpu", "a cpu"}}},
          {"samples", {{"train", 1167}, {"validation", 130}, {"test", 500}}},
          {"notes", {"a note"}},
          {"stages", {dense, prune, ship}},
          {"requirements",
           {{{"name", "latency_ms_max"}, {"wanted", 0.01}, {"got", 0.0125}, {"met", false}},
            {{"name", "accuracy_drop_max"}, {"wanted", 0.5}, {"got", 0.2}, {"met", true}}}},
          {"points",
           {{{"label", "dense"}, {"latency_ms", 0.04}, {"accuracy", 0.986}},
            {{"label", "4x"}, {"latency_ms", 0.0125}, {"accuracy", 0.984}}}}};
}

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

TEST(ReportHtml, SaysTheResultInOneSentence) {
  EXPECT_THAT(report_html(whole_report()),
              HasSubstr("The compressed network classifies 98.40 % of the test images correctly "
                        "(0.20 points below the dense "
                        "network) and takes 0.0125 ms an image: 3.20 times as fast as dense fp32, "
                        "1.60 times as fast as dense int8."));
  EXPECT_THAT(report_html(whole_report()), HasSubstr("34.6 kB"));  // of code
}

TEST(ReportHtml, IsOneClosedPageWithoutAnythingFromOutside) {
  const std::string html = report_html(whole_report());
  for (const char* tag : {"table", "tr", "td", "div", "span", "figure", "svg", "text", "h2", "main",
                          "ul", "li", "details", "p", "title"}) {
    EXPECT_EQ(occurrences(html, std::string("<") + tag + ">") +
                  occurrences(html, std::string("<") + tag + " "),
              occurrences(html, std::string("</") + tag + ">"))
        << tag;
  }
  for (const char* outside : {"<script", "http:", "https:", "src=", "@import", "url("})
    EXPECT_THAT(html, Not(HasSubstr(outside)));
  EXPECT_THAT(html, HasSubstr("prefers-color-scheme:dark"));
}

TEST(ReportHtml, EscapesEveryTextOfTheReport) {
  const std::string bad = "<b>&\"'";
  json report = whole_report();
  // Every string of the report becomes hostile, but for those that choose what is shown.
  const std::function<void(json&)> poison = [&](json& value) {
    if (value.is_structured()) {
      for (auto& [key, inner] : value.items()) {
        if (key != "kind") poison(inner);
      }
    } else if (value.is_string()) {
      value = bad + value.get<std::string>();
    }
  };
  poison(report);
  report["exit_reason"] = bad;
  const std::string html = report_html(report);
  EXPECT_THAT(html, Not(HasSubstr("<b>&")));
  EXPECT_THAT(html, Not(HasSubstr(bad)));
  for (const char* text : {"digits", "a note", "/conv2", "it wins", "pattern", "latency_ms_max",
                           "4x", "a cpu", "compressed"}) {
    EXPECT_THAT(html, HasSubstr("&lt;b&gt;&amp;&quot;&#39;" + std::string(text)));
  }
}

TEST(ReportHtml, ReplacesBytesThatAreNoText) { EXPECT_EQ(escaped("a\xff<"), "a\xef\xbf\xbd&lt;"); }

TEST(ReportHtml, LeavesOutWhatIsMissing) {
  const std::string empty = report_html(json::object());
  EXPECT_THAT(empty, HasSubstr("</html>"));
  for (const char* part : {"<h2>", "<table>", "<svg", "class=\"lead\"", "null", "nan"})
    EXPECT_THAT(empty, Not(HasSubstr(part)));
  EXPECT_THAT(report_html(json()), HasSubstr("</html>"));

  // Any part may be absent, or of a type that nobody expects, on its own.
  const json whole = whole_report();
  const std::function<void(const json::json_pointer&)> without = [&](const json::json_pointer& at) {
    const json& value = whole.at(at);
    if (!value.is_structured()) return;
    std::vector<json::json_pointer> inner;
    if (value.is_object()) {
      for (const auto& [key, unused] : value.items()) inner.push_back(at / key);
    } else {
      for (std::size_t i = 0; i < value.size(); ++i) inner.push_back(at / i);
    }
    for (const json::json_pointer& place : inner) {
      for (const json& other : {json(), json("text"), json(1), json::array({json()})}) {
        json report = whole;
        report[place] = other;
        EXPECT_NO_THROW(report_html(report)) << place.to_string() << other;
        EXPECT_NO_THROW(result_table(report)) << place.to_string() << other;
      }
      without(place);
    }
  };
  without(json::json_pointer());
}

TEST(ReportHtml, SaysWhyARunStopped) {
  EXPECT_THAT(report_html({{"name", "a"}, {"exit_reason", "latency_ms_max cannot be met"}}),
              HasSubstr("<b>The run stopped early:</b> latency_ms_max cannot be met"));
}

TEST(ReportHtml, JoinsWhatTheStagesSayOfALayerInTheOrderOfTheCompiledNetwork) {
  const std::string html = report_html(whole_report());
  const std::size_t layers = html.find("<h2>Layers"), first = html.find("/conv1", layers),
                    second = html.find("/conv2", first);
  ASSERT_NE(second, std::string::npos);
  const std::string row = html.substr(second, html.find("</tr>", second) - second);
  for (const char* cell : {">pattern<", ">4.5×<", ">65.5 k<", ">5.00<", ">2.00<", ">2.50×<",
                           ">61 %<", ">0.0123<", ">it wins<"})
    EXPECT_THAT(row, HasSubstr(cell));
  EXPECT_THAT(html.substr(second - 20, 60), HasSubstr("title=\"/conv2+/relu2\">/conv2<"));
  EXPECT_EQ(html.find("/conv2", html.find("</tr>", second)), std::string::npos)
      << "a row of its own";
  EXPECT_THAT(html.substr(first, second - first), HasSubstr("excluded by &quot;/conv1&quot;"));
}

TEST(ReportHtml, DrawsStagesOneAfterTheOther) {
  const std::string html = report_html(whole_report());
  for (const char* where : {"dense, epoch 2: 90.00 %", "prune (admm), epoch 1: 91.00 %",
                            "prune (fine-tuning), epoch 2: 93.00 %"})
    EXPECT_THAT(html, HasSubstr(where));
  EXPECT_THAT(html, HasSubstr("Points found"));
  json one = whole_report();
  one["points"].erase(1);
  EXPECT_THAT(report_html(one), Not(HasSubstr("Points found")));
}

TEST(ReportHtml, MarksRequirements) {
  const std::string html = report_html(whole_report());
  EXPECT_EQ(occurrences(html, "not met</span>"), 1U);
  EXPECT_EQ(occurrences(html, "✓ met</span>"), 1U);
}

TEST(ResultTable, ComparesVariantsAndChecksRequirements) {
  EXPECT_EQ(result_table(whole_report()),
            "            test top-1    latency  vs fp32  vs int8     size   MACs  peak memory\n"
            "dense fp32     98.60 %  0.0400 ms    1.00x    0.50x  96.4 kB  600 k      20.0 kB\n"
            "dense int8     98.60 %  0.0200 ms    2.00x    1.00x  25.6 kB  600 k      20.0 kB\n"
            "compressed     98.40 %  0.0125 ms    3.20x    1.60x  8.21 kB  150 k      20.0 kB\n"
            "\n"
            "requirement        wanted     got\n"
            "latency_ms_max       0.01  0.0125  NOT met\n"
            "accuracy_drop_max     0.5     0.2      met\n");
}

TEST(ResultTable, ShowsStagesBeforeAnythingIsCompiled) {
  EXPECT_EQ(result_table({{"stages",
                           {{{"name", "dense"},
                             {"kind", "train"},
                             {"seconds", 75.2},
                             {"validation", {{"top1", 0.9}}}}}}}),
            "stage   kind  validation top-1        time\n"
            "dense  train           90.00 %  1 min 15 s\n");
  EXPECT_EQ(result_table(json::object()), "");
}

TEST(ReportValues, AreWrittenForPeople) {
  EXPECT_EQ(significant(0.0123), "0.0123");
  EXPECT_EQ(significant(9.999), "10.00");
  EXPECT_EQ(significant(1234.5), "1234");
  EXPECT_EQ(significant(0), "0");
  EXPECT_EQ(significant(1.2e-7), "1.20e-07");
  EXPECT_EQ(bytes(999), "999 B");
  EXPECT_EQ(bytes(1234567), "1.23 MB");
  EXPECT_EQ(count(41e6), "41.0 M");
  EXPECT_EQ(plain(12345678), "12345678");
  EXPECT_EQ(duration(0.24), "0.2 s");
  EXPECT_EQ(duration(3725), "1 h 2 min");
}

TEST(ScatterChart, KeepsWhatDoesNotCompeteOffTheFront) {
  ScatterChart chart;
  chart.less_y_is_better = chart.only_front_labelled = true;
  chart.points = {{2, 20, "second"}, {2, 10, "first"}, {3, 15, "dominated"}};
  chart.beside = {{1, 5, "too large"}};
  const std::string svg = scatter_chart(chart);
  for (const char* title : {"second", "first", "dominated", "too large"})
    EXPECT_THAT(svg, HasSubstr(std::string("<title>") + title + "</title>"));
  EXPECT_THAT(svg, HasSubstr(">first</text>"));
  for (const char* title : {"second", "dominated", "too large"})
    EXPECT_THAT(svg, Not(HasSubstr(std::string(">") + title + "</text>")));
  chart.points.clear();
  EXPECT_THAT(scatter_chart(chart), HasSubstr("dot faint"));
}

TEST(ScatterChart, WritesLargeNumbersShort) {
  ScatterChart chart;
  chart.points = {{1e6, 1, "a"}, {5e6, 2, "b"}};
  EXPECT_THAT(scatter_chart(chart), HasSubstr(">2.00 M</text>"));
}

TEST(AxisTicks, AreRoundAndCoverTheRange) {
  EXPECT_EQ(axis_ticks(0, 10, 5), (std::vector<double>{0, 2, 4, 6, 8, 10}));
  EXPECT_EQ(axis_ticks(-1, 1, 4), (std::vector<double>{-1, -0.5, 0, 0.5, 1}));
}

}  // namespace
}  // namespace xgen::cli
