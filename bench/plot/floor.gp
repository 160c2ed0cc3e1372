# Forward passes of float as multiples of the floor: the library and the fastest other library, one panel a layout.
# Needs: rows (a table of bench_peers), picture.
set terminal svg size 1100,860 dynamic font "sans-serif,14" background "white"
set output picture
set datafile separator "\t"
set datafile columnheaders
set datafile missing "-"

of_layout(name) = sprintf("< awk -F'\\t' '/^#/ { next } !names++ || ($2 == \"%s\" && $3 == \"forward\" && $4 == \"f32\")' '%s'", name, rows)
readable(id) = system(sprintf("echo '%s' | tr _ ' '", id))

set logscale y
set yrange [0.7:*]
set grid ytics lc rgb "#dddddd"
set border 3
set tics nomirror out
set xtics rotate by 45 right font ",12"
set ylabel "time / floor"
set key top right samplen 1
set bmargin 6.5
set tmargin 2.5
set offsets 0.5, 0.5, 0, 0

set multiplot layout 2,1 title "Forward passes, float, one thread: time as a multiple of one pass over the memory (1 = the floor)"
do for [layout in "channels_first channels_last"] {
  set title (layout eq "channels_first" ? "channels first (N C H W)" : "channels last (N H W C)") offset 0,-0.3
  plot of_layout(layout) using 0:"ours/floor":"ours/floor":"best/floor" with yerrorbars pointtype -1 lc rgb "#bbbbbb" notitle, \
       "" using 0:"best/floor":xtic(readable(strcol("case"))) with points pt 9 ps 0.9 lc rgb "#d55e00" title "fastest other library", \
       "" using 0:"ours/floor" with points pt 7 ps 0.8 lc rgb "#0072b2" title "eigenpool"
}
unset multiplot
