(* Activation regions in plain terms, over an arbitrary ordered field R (R3; section 3.5 of FORMAT.md): the pattern of an input, and which
   patterns have a full-dimensional region.  With Claims.v, this page is what has to be read to know what `check_patterns_sound` proves. *)
From Coq Require Import ZArith List.
From mathcomp Require Import all_ssreflect all_algebra.
From ExactRelu Require Import Certificate Integers Claims.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section RegionClaims.
Variable R : realFieldType.
Implicit Types x y : seq R.

(* of every neuron of the layers, one after the other, whether its value is positive *)
Fixpoint pattern_at (ls : seq layer) x : seq bool :=
  if ls is l :: ls' then
    [seq 0 < row_at x rb.1 | rb <- [seq rb <- zip (rows l) (rectified l) | rb.2]] ++ pattern_at ls' (layer_at l x)
  else [::].
(* y is a point of R^n nearer to x than e in every coordinate *)
Definition near n (e : R) x y := size y = n /\ forall j, (j < n)%N -> `|nth 0 y j - nth 0 x j| < e.
(* the pattern p is that of all points of a ball in the domain: its activation region is full-dimensional *)
Definition is_region n (ls : seq layer) (K : domain) (p : seq bool) :=
  exists x e, [/\ size x = n, 0 < e & forall y, near n e x y -> in_domain n K y /\ pattern_at ls y = p].
End RegionClaims.
