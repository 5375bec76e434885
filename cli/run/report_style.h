#pragma once

#include <string>

#include "cli/run/report_charts.h"
#include "core/error.h"

namespace xgen::cli {

/// The page's look. Two themes by custom properties; tables scroll sideways on narrow screens with
/// the first column in place.
inline constexpr const char* kReportStyle = R"css(
:root{color-scheme:light dark;--page:#f7f7f5;--card:#fff;--ink:#1c1c1a;--soft:#5d5c57;--rule:#e2e1dc;
--band:#f3f2ee;--s0:#2a6fd0;--s1:#d9642b;--s2:#2c8f6f;--bar:#a9c6f0;--slow:#efc3a9;--good:#1f7a3f;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--page:#191918;--card:#222220;--ink:#eeede8;--soft:#a9a8a1;
--rule:#3a3935;--band:#2a2a27;--s0:#6ea6f2;--s1:#ef8d58;--s2:#56bd98;--bar:#2f5589;--slow:#7a4a30;--good:#6fce8d;--bad:#f28b82}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1120px;margin:0 auto;padding:28px 20px 60px}
h1{font-size:26px;line-height:1.2;margin:0 0 4px}
h2{font-size:17px;margin:34px 0 10px}
.sub{color:var(--soft);margin:0 0 14px}
.lead{font-size:18px;margin:0 0 20px;max-width:46em}
.stop{border-left:4px solid var(--bad);padding:6px 14px;background:var(--card);margin:0 0 16px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(160px,1fr));gap:12px}
.tile{background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:12px 14px}
.tile b{display:block;font-size:24px;font-weight:600;line-height:1.2;margin:2px 0}
.tile span{color:var(--soft);font-size:13px}
.card{background:var(--card);border:1px solid var(--rule);border-radius:8px;overflow-x:auto}
table{border-collapse:separate;border-spacing:0;width:100%;font-size:14px}
th,td{padding:7px 10px;text-align:left;vertical-align:top;border-bottom:1px solid var(--rule)}
tr:last-child td{border-bottom:0}
th{color:var(--soft);font-weight:500;font-size:13px;white-space:nowrap}
td.n,th.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
td:first-child,th:first-child{position:sticky;left:0;background:var(--card);font-weight:500}
.strong td{font-weight:600;background:var(--band)}
.strong td:first-child{background:var(--band)}
.why{color:var(--soft);font-size:13px;min-width:200px}
.layer{overflow-wrap:anywhere;min-width:150px;max-width:260px}
.small{color:var(--soft);font-size:12px;font-weight:400}
.meter{position:relative;display:block;width:88px;margin-left:auto;padding:0 5px;border-radius:3px;background:linear-gradient(var(--bar),var(--bar)) 0/var(--w) 100% no-repeat var(--band)}
.meter.lost{background-image:linear-gradient(var(--slow),var(--slow))}
.met{color:var(--good);font-weight:600}.miss{color:var(--bad);font-weight:600}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,440px),1fr));gap:14px}
figure{margin:0;background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:12px}
figcaption{font-size:14px;font-weight:500;display:flex;flex-wrap:wrap;justify-content:space-between;gap:2px 14px;margin-bottom:4px}
.legend{font-weight:400;font-size:13px;color:var(--soft);display:flex;gap:14px}
.key{display:inline-block;width:14px;height:3px;vertical-align:middle;margin-right:5px;border-radius:2px}
.key.s0{background:var(--s0)}.key.s1{background:var(--s1)}.key.s2{background:var(--s2)}
svg{display:block;width:100%;height:auto}
svg .grid{stroke:var(--rule)}svg .axis{stroke:var(--soft)}
svg .band{fill:var(--band)}
svg text{font-size:11.5px;fill:var(--soft)}
svg .mid{text-anchor:middle}svg .end{text-anchor:end}
svg .line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
svg .line.s0{stroke:var(--s0)}svg .line.s1{stroke:var(--s1)}svg .line.s2{stroke:var(--s2)}
svg .dashed{stroke-dasharray:3 5;stroke-width:1.5}
svg .dot.s0{fill:var(--s0)}svg .dot.s1{fill:var(--s1)}svg .dot.s2{fill:var(--s2)}svg .dot.other{fill:var(--soft)}svg .dot.faint{fill:none;stroke:var(--soft)}
ul{margin:0;padding-left:20px}li{margin:3px 0}
details{background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:10px 14px}
summary{cursor:pointer;font-weight:500}
pre{overflow-x:auto;font:13px/1.45 ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;margin:10px 0 0}
code{font:13px ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;overflow-wrap:anywhere}
@media(max-width:560px){main{padding:18px 12px 40px}h1{font-size:22px}.lead{font-size:16px}th,td{padding:6px 9px}.tiles{grid-template-columns:1fr 1fr}.tile b{font-size:20px}.layer{min-width:140px;max-width:150px}}
@media print{body{background:#fff}.card{overflow:visible}}
)css";

/// A self-contained page. @param body  HTML.
inline std::string html_page(const std::string& title, const std::string& body) {
  return str(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
      escaped(title), "</title>\n<style>", kReportStyle, "</style>\n</head>\n<body>\n<main>\n",
      body, "</main>\n</body>\n</html>\n");
}

}  // namespace xgen::cli
