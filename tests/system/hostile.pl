# Turns names and types in an image into hostile ones of the same length, for 66-fortress.t:   perl hostile.pl IMAGE OLD=NEW…
# Names are changed wherever they stand; "type:NID=MODE" (octal) changes an inode's mode, "nid:OLD=NEW" an entry's inode.
use strict; use warnings;
my ($image, @changes) = @ARGV;
local $/; open(my $in, '<:raw', $image) or die; my $bytes = <$in>; close $in;
for (@changes) {
	if (/^type:(\d+)=([0-7]+)$/) { substr($bytes, $1 * 32 + 4, 2) = pack('v', oct $2) }
	elsif (/^nid:(\d+)=(\d+)$/) { my ($old, $new) = (pack('Q<', $1), pack('Q<', $2)); $bytes =~ s/\Q$old\E/$new/g }
	else { my ($old, $new) = /^([^=]*)=(.*)$/ or die; die "lengths differ: $_" if length $old != length $new; die "no $old" if $bytes !~ s/\Q$old\E/$new/g }
}
open(my $out, '>:raw', $image) or die; print $out $bytes; close $out;
