(* Blocks of layers that are injective by their skips (I14; section 4.14 of FORMAT.md).  Every coordinate inside a block is l.x + g(x)
   for the block's input x, with a linear form l that is carried along rows without a relu, and g changes by at most r when no
   coordinate of x changes by more than 1; all of this up to one positive factor.  `keeps_apart_sound` in SkipsSound.v. *)
From Coq Require Import ZArith List Bool.
From ExactRelu Require Import Certificate Vectors Systems Echelon InjectivityChecks.
Import ListNotations.
Local Open Scope Z_scope.

Record carried := Carried { form_carried : list Z; bound_of_rest : Z }.

(* a relu keeps no form: what was carried goes to the rest *)
Definition after_relu (relu : bool) (c : carried) : carried :=
  if relu then Carried [] (bound_of_rest c + sum_abs (form_carried c)) else c.
(* what a row makes of the block's input, or of the coordinates before *)
Definition carried_by_row (before : option (list carried)) (r : row) : carried :=
  match before with
  | None => Carried (coefficients r) 0
  | Some cs =>
      Carried (combination (coefficients r) (tmap form_carried cs) []) (dot (tmap Z.abs (coefficients r)) (tmap bound_of_rest cs))
  end.
Definition shifted (e : Z) (c : carried) : carried :=
  Carried (tmap (fun u => Z.shiftl u e) (form_carried c)) (Z.shiftl (bound_of_rest c) e).
Definition carried_by_layer (before : option (list carried)) (l : layer) : list carried :=
  let low := lowest_exponent (rows l) in
  tmap2 (fun r relu => after_relu relu (shifted (exponent r - low) (carried_by_row before r))) (rows l) (rectified l).

(* the input that is carried by more than the rest, if it is the only one *)
Definition outweighs (c : carried) : option nat :=
  match leading_entry 0 (form_carried c) with
  | Some (j, u) => if (sum_abs (form_carried c) =? Z.abs u) && (bound_of_rest c <? Z.abs u) then Some j else None
  | None => None
  end.
(* every output carries an input, each another one *)
Definition keeps_apart (n : nat) (cs : list carried) : bool :=
  let found := tmap outweighs cs in
  Nat.eqb (size_of cs) n
  && forallb (fun j => existsb (fun o => match o with Some i => Nat.eqb i j | None => false end) found) (seq 0 n).

(* in the combination of outputs with these multipliers input j outweighs all others and the rest *)
Definition singles_out (cs : list carried) (multipliers : list Z) (j : nat) : bool :=
  let l := combination multipliers (tmap form_carried cs) [] in
  sum_abs l + dot (tmap Z.abs multipliers) (tmap bound_of_rest cs) <? 2 * nth j l 0.
(* For every input there is such a combination: an inverse, nearly, of the forms. *)
Definition inverts (n : nat) (cs : list carried) (inverse : list (list Z)) : bool :=
  Nat.eqb (size_of cs) n && Nat.eqb (size_of inverse) n
  && forallb (fun b => b) (tmap2 (singles_out cs) inverse (seq 0 n)).

(* The blocks that begin here, or the one that has begun: `number` is that of the first of the layers; inverses come with the number of
   the last layer of their blocks. *)
Fixpoint blocks_ok (n number : nat) (ends : list nat) (inverses : list (nat * list (list Z))) (before : option (list carried))
    (ls : list layer) : bool :=
  match ls, ends with
  | [], [] => match before, inverses with None, [] => true | _, _ => false end
  | l :: ls', last :: ends' =>
      let cs := carried_by_layer before l in
      if Nat.eqb number last
      then match inverses with
           | (block, inverse) :: inverses' =>
               if Nat.eqb block last then inverts n cs inverse && blocks_ok n (S number) ends' inverses' None ls'
               else keeps_apart n cs && blocks_ok n (S number) ends' inverses None ls'
           | [] => keeps_apart n cs && blocks_ok n (S number) ends' [] None ls'
           end
      else blocks_ok n (S number) ends inverses (Some cs) ls'
  | _, _ => false
  end.
