// Draws panels of a dashboard with Grafana's own components, from the answers of a Prometheus.
import 'uplot/dist/uPlot.min.css';
import moment from 'moment';
import React from 'react';
import { createRoot } from 'react-dom/client';
import {
  applyFieldOverrides, createTheme, FieldColorModeId, FieldType, getDisplayProcessor, ThemeContext, toDataFrame,
} from '@grafana/data';
import { BigValue, BigValueColorMode, BigValueGraphMode, TimeSeries } from '@grafana/ui';

const theme = createTheme({ colors: { mode: 'light' } });
const { title, from, to, panels } = window.BOARD;
const CELL = 1440 / 24;
const ROW = 38;

function frameOf(panel) {
  const defaults = panel.fieldConfig.defaults;
  return panel.series.map(({ name, times, values }) => toDataFrame({
    fields: [
      { name: 'Time', type: FieldType.time, values: times, config: {} },
      {
        name, type: FieldType.number, values,
        config: { ...defaults, displayName: name, color: defaults.color ?? { mode: FieldColorModeId.PaletteClassic },
          custom: { lineWidth: 1, fillOpacity: 10, ...defaults.custom } },
      },
    ],
  }));
}

function dressed(panel, frames) {
  return applyFieldOverrides({
    data: frames, fieldConfig: { defaults: {}, overrides: [] }, replaceVariables: (text) => text, theme,
    timeZone: 'utc',
  });
}

function Graph({ panel, width, height }) {
  const frames = dressed(panel, frameOf(panel));
  return (
    <TimeSeries
      frames={frames} width={width} height={height} timeZone="utc" structureRev={1}
      timeRange={{ from: moment.utc(from), to: moment.utc(to), raw: { from: '', to: '' } }}
      legend={{ showLegend: true, displayMode: 'list', placement: 'bottom', calcs: [] }}
    />
  );
}

function Figure({ panel, width, height }) {
  const [series] = panel.series;
  const [frame] = dressed(panel, frameOf(panel));
  const field = frame.fields[1];
  const steps = panel.fieldConfig.defaults.thresholds;
  const config = { ...field.config, displayName: '',
    color: { mode: steps ? FieldColorModeId.Thresholds : 'fixed', fixedColor: 'blue' } };
  const display = getDisplayProcessor({ field: { ...field, config }, theme });
  const value = display(series.values[series.values.length - 1]);
  return (
    <BigValue
      value={value} width={width} height={height} theme={theme} graphMode={BigValueGraphMode.Area}
      colorMode={BigValueColorMode.Value} sparkline={{ y: field, x: frame.fields[0] }}
    />
  );
}

function Listing({ panel }) {
  const names = panel.columns;
  return (
    <table>
      <thead><tr>{[...names, 'replicas'].map((name) => <th key={name}>{name}</th>)}</tr></thead>
      <tbody>
        {panel.rows.map((row) => (
          <tr key={JSON.stringify(row.labels)}>
            {names.map((name) => <td key={name}>{row.labels[name]}</td>)}<td>{row.value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const KINDS = { timeseries: Graph, stat: Figure, table: Listing };

function Panel({ panel }) {
  const { x, y, w, h } = panel.gridPos;
  const place = { left: x * CELL, top: y * ROW, width: w * CELL - 8, height: h * ROW - 8 };
  if (panel.type === 'row') {
    return <h2 style={{ ...place, position: 'absolute', margin: 0, padding: '6px 4px' }}>{panel.title}</h2>;
  }
  const Kind = KINDS[panel.type];
  return (
    <section style={place}>
      <h3>{panel.title}</h3>
      <Kind panel={panel} width={place.width - 18} height={place.height - 44} />
    </section>
  );
}

const bottom = Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h));
createRoot(document.getElementById('board')).render(
  <ThemeContext.Provider value={theme}>
    <style>{`
      body { background: ${theme.colors.background.canvas}; color: ${theme.colors.text.primary}; margin: 16px;
             font: 13px sans-serif; width: 1440px }
      h1 { font-size: 20px; margin: 0 0 8px 4px } h2 { font-size: 15px } h3 { font-size: 13px; margin: 0 0 6px }
      section { position: absolute; box-sizing: border-box; padding: 8px; overflow: hidden;
                background: ${theme.colors.background.primary}; border: 1px solid ${theme.colors.border.weak}; border-radius: 3px }
      table { width: 100%; text-align: left; border-spacing: 0 8px }
      #panels { position: relative; height: ${bottom * ROW}px }
    `}</style>
    <h1>{title}</h1>
    <div id="panels">{panels.map((panel) => <Panel key={panel.id} panel={panel} />)}</div>
  </ThemeContext.Provider>,
);
