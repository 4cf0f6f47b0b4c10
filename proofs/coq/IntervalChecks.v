(* Interval images (I10; section 4.14 of FORMAT.md): bounds, one coordinate by itself, of all that layers make of a domain, exactly.  Over
   intervals a row is least where every input is at the end that its coefficient's sign names.  `ends_after_sound` in IntervalsSound.v. *)
From Coq Require Import ZArith List Bool.
From ExactRelu Require Import Certificate InjectivityCertificate Vectors Systems InjectivityChecks RegionTree.
Import ListNotations.
Local Open Scope Z_scope.

(* a numerator and a denominator, which is positive *)
Definition quotient := (Z * Z)%type.
(* the lower and the upper end, where they are there *)
Definition interval := (option quotient * option quotient)%type.

(* Where one denominator is a multiple of the other, they do not grow. *)
Definition add_quotients (u v : quotient) : quotient :=
  let (a, b) := u in
  let (c, d) := v in
  let q := b / d in
  if q * d =? b then (a + c * q, b) else (a * d + c * b, b * d).
Definition less (u v : quotient) : bool := fst u * snd v <? fst v * snd u.
Definition times (c : Z) (u : quotient) : quotient := (c * fst u, snd u).

(* sum + a.x at least, for x in the intervals *)
Fixpoint least (sum : quotient) (a : list Z) (ends : list interval) : option quotient :=
  match a, ends with
  | c :: a', (low, high) :: ends' =>
      if c =? 0 then least sum a' ends'
      else match (if 0 <? c then low else high) with
           | Some u => least (add_quotients sum (times c u)) a' ends'
           | None => None
           end
  | [], _ => Some sum
  | _, [] => None
  end.
(* a row's least value, times sign *)
Definition least_of_row (sign : Z) (ends : list interval) (r : row) : option quotient :=
  option_map (fun u => (fst u * up (exponent r), snd u * down (exponent r)))
             (least (sign * constant r, 1) (tmap (Z.mul sign) (coefficients r)) ends).

(* after a relu, if one follows *)
Definition zero : quotient := (0, 1).
Definition at_least_zero (u : quotient) : quotient := if less u zero then zero else u.
Definition rectified_interval (relu : bool) (i : interval) : interval :=
  if relu then (Some (match fst i with Some u => at_least_zero u | None => zero end), option_map at_least_zero (snd i)) else i.
Definition ends_of_layer (l : layer) (of_row : Z -> row -> option quotient) : list interval :=
  tmap2 (fun r relu => rectified_interval relu (of_row 1 r, option_map (times (-1)) (of_row (-1) r))) (rows l) (rectified l).

(* ---------- the domain ---------- *)

(* the ends that a side says, if only its coefficient of x_j is not 0: b + a x_j <= 0 *)
Fixpoint ends_by_side (b : Z) (a : list Z) : list interval :=
  match a with
  | [] => []
  | c :: a' =>
      if c =? 0 then (None, None) :: ends_by_side b a'
      else if is_zero a' then (if 0 <? c then (None, Some (- b, c)) else (Some (b, - c), None)) :: tmap (fun _ => (None, None)) a'
      else []
  end.
Definition largest (u v : option quotient) : option quotient :=
  match u, v with Some p, Some q => Some (if less p q then q else p) | None, _ => v | _, None => u end.
Definition smallest (u v : option quotient) : option quotient :=
  match u, v with Some p, Some q => Some (if less p q then p else q) | None, _ => v | _, None => u end.
(* the smaller one of two intervals, coordinate by coordinate *)
Fixpoint narrower (first second : list interval) : list interval :=
  match first, second with
  | i :: first', j :: second' => (largest (fst i) (fst j), smallest (snd i) (snd j)) :: narrower first' second'
  | _, [] => first
  | [], _ => second
  end.
Definition ends_of (n : nat) (K : domain) : list interval :=
  match K with
  | AllSpace => repeat_onto (None, None) n []
  | Orthant => repeat_onto (Some zero, None) n []
  | Box lower upper =>
      tmap2 (fun l u => (Some (l, denominator lower), Some (u, denominator upper))) (numerators lower) (numerators upper)
  | Polytope sides =>
      fold_left (fun ends s => narrower ends (ends_by_side (fst s) (snd s))) sides (repeat_onto (None, None) n [])
  end.

Section Oracles.
(* for a number v any number s with v <= s^2; for intervals a domain that holds all points of them *)
Variables (root_above : Z -> Z) (domain_of : list interval -> domain).

(* sign * (b + a.x) at least on a ball, up to 2^-64 *)
Definition ball_bits : Z := 64.
Definition least_on_ball (D N sign : Z) (r : row) : option quotient :=
  let a := coefficients r in
  let v := Z.shiftl (N * N * dot a a) (2 * ball_bits) in
  let s := root_above v in
  if (0 <=? s) && (v <=? s * s)
  then Some ((sign * constant r * Z.shiftl D ball_bits - s) * up (exponent r), Z.shiftl D ball_bits * down (exponent r)) else None.

(* what is known of the inputs of a layer: that they are in the domain, or in intervals *)
Inductive reach := InDomain (K : convex_domain) | InIntervals (ends : list interval).
Definition ends_after (reached : reach) (l : layer) : list interval :=
  ends_of_layer l
    (match reached with
     | InDomain (Ball D N) => least_on_ball D N
     | InDomain (Polyhedral K) => let ends := ends_of (inputs l) K in fun sign => least_of_row sign ends
     | InIntervals ends => fun sign => least_of_row sign ends
     end).

(* a domain that holds all that is reached *)
Definition image (n : nat) (reached : reach) : option domain :=
  match reached with
  | InDomain _ => None
  | InIntervals ends =>
      let K := domain_of ends in
      if domain_ok n K
         && forallb (fun f => match least (hd 0 f, 1) (tl f) ends with Some u => 0 <=? fst u | None => false end) (domain_rows n K)
      then Some K else None
  end.
End Oracles.
