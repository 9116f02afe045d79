#include <fmt/format.h>

#include <set>
#include <tuple>

#include "grid.hpp"
#include "html_data.hpp"
#include "text.hpp"

namespace dropcheck::reports {
namespace {

struct MatrixCell {
  Cell cell;
  const Finding* first = nullptr;  ///< the first with the worst verdict
};

struct MatrixRow {
  std::string configuration;
  std::map<std::string, MatrixCell> cells;
};

struct MatrixBlock {
  std::string subject;
  std::string layer;
  std::vector<MatrixRow> rows;
};

void add(MatrixRow& row, const Finding& finding) {
  MatrixCell& place = row.cells[finding.check];
  const bool is_worse =
      place.first == nullptr || finding.verdict < place.cell.verdict;
  if (is_worse) place.first = &finding;
  place.cell.add(finding.verdict);
}

std::vector<MatrixBlock> blocks_of(const RunResult& result,
                                   bool by_configuration) {
  using Pair = std::pair<std::string, std::string>;
  std::vector<MatrixBlock> blocks;
  std::map<Pair, std::size_t> block_places;
  std::vector<std::map<std::string, std::size_t>> row_places;
  for (const Finding& finding : result.findings) {
    const auto [place, is_new] = block_places.try_emplace(
        Pair{finding.subject, finding.layer}, blocks.size());
    if (is_new) {
      blocks.push_back({finding.subject, finding.layer, {}});
      row_places.emplace_back();
    }
    MatrixBlock& block = blocks[place->second];
    const std::string name = by_configuration ? finding.configuration : "";
    const auto [row, is_new_row] =
        row_places[place->second].try_emplace(name, block.rows.size());
    if (is_new_row) block.rows.push_back({name, {}});
    add(block.rows[row->second], finding);
  }
  return blocks;
}

mustache::data cell_data(const RunResult& result, const MatrixRow& row,
                         const std::string& check) {
  const auto found = row.cells.find(check);
  if (found == row.cells.end()) {
    return mustache::data{"present", mustache::data(false)};
  }
  const Cell& cell = found->second.cell;
  mustache::data data = verdict_data(cell.verdict);
  data.set("present", mustache::data(true));
  data.set("target", anchor_of(result, *found->second.first));
  data.set("check", xml_text(check));
  data.set("many", mustache::data(cell.total > 1));
  // The worst of a few says how many; a cell of one kind is read at a glance.
  data.set("mixed", mustache::data(cell.worst < cell.total));
  data.set("share", fmt::format("{}/{}", cell.worst, cell.total));
  return data;
}

// Names break after underscores, so that columns stay narrow.
mustache::data check_head(const std::string& check) {
  mustache::data parts(mustache::data::type::list);
  std::string part;
  for (const char c : xml_text(check)) {
    part += c;
    if (c != '_') continue;
    parts << mustache::data{"part", part};
    part.clear();
  }
  parts << mustache::data{"part", part};
  return mustache::data{"parts", parts};
}

mustache::data table_data(const RunResult& result,
                          const std::vector<MatrixBlock>& blocks) {
  const std::vector<std::string> checks = checks_of(result);
  mustache::data heads(mustache::data::type::list);
  for (const std::string& check : checks) heads << check_head(check);
  mustache::data block_list(mustache::data::type::list);
  for (const MatrixBlock& block : blocks) {
    mustache::data rows(mustache::data::type::list);
    for (const MatrixRow& row : block.rows) {
      mustache::data cells(mustache::data::type::list);
      for (const auto& check : checks) cells << cell_data(result, row, check);
      mustache::data row_data{"configuration", xml_text(row.configuration)};
      row_data.set("named", mustache::data(!row.configuration.empty()));
      row_data.set("subject", xml_text(block.subject));
      row_data.set("layer", xml_text(block.layer));
      row_data.set("cells", cells);
      rows << row_data;
    }
    mustache::data block_data{"rows", rows};
    block_data.set("subject", xml_text(block.subject));
    block_data.set("layer", xml_text(block.layer));
    block_list << block_data;
  }
  mustache::data data{"heads", heads};
  data.set("blocks", block_list);
  data.set("columns", std::to_string(checks.size()));
  return data;
}

}  // namespace

mustache::data matrix_data(const RunResult& result) {
  mustache::data data = table_data(result, blocks_of(result, true));
  data.set("titled", mustache::data(true));
  data.set("caption", "Verdicts by configuration and check");
  return data;
}

mustache::data summary_matrix_data(const RunResult& result) {
  mustache::data data = table_data(result, blocks_of(result, false));
  data.set("titled", mustache::data(false));
  data.set("caption", "Worst verdict by subject and check");
  return data;
}

std::size_t matrix_rows(const RunResult& result) {
  std::set<std::tuple<std::string, std::string, std::string>> rows;
  for (const Finding& finding : result.findings) {
    rows.emplace(finding.subject, finding.layer, finding.configuration);
  }
  return rows.size();
}

}  // namespace dropcheck::reports
