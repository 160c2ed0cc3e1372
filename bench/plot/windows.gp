# Time against the size of the window, stride 1, one panel a layout. Needs: rows (bench_pooling --sweep), picture.
set terminal svg size 1000,500 dynamic font "sans-serif,14" background "white"
set output picture
set datafile separator "\t"
set datafile columnheaders

of_windows(condition) = sprintf("< awk -F'\\t' -v OFS='\\t' '/^#/ { next } !names++ { print; next } $1 ~ /^k[0-9]+$/ && $9 == \"k3\" && %s { sub(/k/, \"\", $1); print }' '%s'", condition, rows)
windows(layout, op, direction) = of_windows(sprintf("$2 == \"%s\" && $5 == \"%s\" && $3 == \"%s\"", layout, op, direction))

stats of_windows("1") using "us" name "time" nooutput
set yrange [time_min / 1.5:time_max * 3]  # room for the legend; the same in both panels
set logscale xy
set xtics (3, 7, 15, 31, 63) nomirror out
set xrange [2.7:70]
set ytics nomirror out
set grid lc rgb "#dddddd"
set border 3
set xlabel "window (k x k)"
set key top left Left reverse samplen 2

set multiplot layout 1,2 title "Stride-1 windows on 16 channels of 192 x 192, float, one thread"
do for [layout in "channels_first channels_last"] {
  set title (layout eq "channels_first" ? "channels first (N C H W)" : "channels last (N H W C)")
  set ylabel "microseconds"
  plot windows(layout, "max", "forward") using "case":"us" with linespoints pt 7 lw 2 lc rgb "#0072b2" title "max", \
       windows(layout, "max", "indices") using "case":"us" with linespoints pt 9 lw 2 lc rgb "#d55e00" title "max with indices", \
       windows(layout, "avg", "forward") using "case":"us" with linespoints pt 5 lw 2 lc rgb "#009e73" title "average", \
       windows(layout, "avg", "backward") using "case":"us" with linespoints pt 13 lw 2 lc rgb "#cc79a7" title "backward of average"
}
unset multiplot
